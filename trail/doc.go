// Package trail keeps a log of lines in a directory: it appends, rotates,
// repairs, reads and follows.
//
// One process writes one trail. Several processes share a home, in which each
// takes a slot; readers take either:
//
//	for line, err := range trail.Read("/var/lib/tooltrail", nil) {
//		if err != nil {
//			log.Print(err) // a *CorruptError is skipped, the rest is read
//			continue
//		}
//		if line.Kind() == trail.Event {
//			os.Stdout.Write(append(line.Bytes, '\n'))
//		}
//	}
//
// A writer is opened in a slot of the home and goes behind a queue:
//
//	home, err := trail.OpenHome("/var/lib/tooltrail")
//	…
//	t, err := home.Open("filesystem", nil)
//	…
//	q := audit.NewQueue(t, &audit.QueueOptions{FirstSeq: t.NextSeq(), Counters: t.Counters()})
//	defer q.Close(ctx)
//
// What a trail has accepted it keeps: a full disk, a failing one, a deleted
// file or a killed process leaves whole lines, and a note of what was lost.
// [Check] adds it up from the files alone.
//
// The format on disk is specified in docs/formats/trail.md.
package trail
