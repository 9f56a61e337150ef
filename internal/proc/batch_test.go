package proc

import "testing"

func TestBatchLine(t *testing.T) {
	const head = `cmd.exe /e:ON /v:OFF /d /c ""C:\Program Files\npx.cmd"`
	for _, c := range []struct{ arg, want string }{
		{`plain-1.0/@scope\x`, `plain-1.0/@scope\x`},
		{``, `""`},
		{`two words`, `"two words"`},
		{`C:\dir\`, `"C:\dir\\"`},
		{`a"b`, `"a""b"`},
		{`a\"b`, `"a\\""b"`},
		{`%PATH%`, `"%%cd:~,%PATH%%cd:~,%"`},
		{`a&calc`, `"a&calc"`},
		{`a|b>c<d^e(f)!`, `"a|b>c<d^e(f)!"`},
		{`ümlaut`, `"ümlaut"`},
	} {
		got, err := batchLine(`C:\Program Files\npx.cmd`, []string{c.arg})
		if want := head + " " + c.want + `"`; got != want || err != nil {
			t.Errorf("%q: %v\n got %s\nwant %s", c.arg, err, got, want)
		}
	}
	for _, arg := range []string{"a\nb", "a\rb", "a\x00b"} {
		if got, err := batchLine("x.cmd", []string{arg}); err == nil {
			t.Errorf("%q was accepted: %s", arg, got)
		}
	}
	if got, err := batchLine(`x".cmd`, nil); err == nil {
		t.Errorf("a quote in the path was accepted: %s", got)
	}
}
