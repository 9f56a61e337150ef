package config

import "strings"

// A runner is a program whose arguments say what runs. Lists are of words.
type runner struct {
	// subs are the sub-commands that stand before what runs.
	subs string
	// valued are the options that are followed by a value.
	valued string
	// code are the options whose value is a program text, and folder those
	// whose value is the folder of what runs.
	code, folder string
	// flags, where set, are the options without a value: all others have one.
	flags string
	// image says that what runs is a container image, and not a command.
	image bool
}

var (
	node = runner{
		valued: "-r --require --import --loader --experimental-loader -C --conditions --env-file --env-file-if-exists --tsconfig --title --input-type -P --project",
		code:   "-e --eval -p --print", subs: "watch",
	}
	shell  = runner{valued: "-o -O --rcfile --init-file", code: "-c"}
	python = runner{valued: "-W -X", code: "-c"}
	npm    = runner{
		subs:   "run run-script exec x dlx",
		valued: "-p --package --registry -w --workspace --cache --userconfig --globalconfig --loglevel --node-options --filter -F",
		code:   "-c --call", folder: "--prefix -C --dir --cwd",
	}
	uv = runner{
		subs: "run tool",
		valued: "--from --with --with-editable --with-requirements -w -p --python -i --index --index-url --extra-index-url --default-index -f --find-links " +
			"--cache-dir --config-file --env-file --extra --group --only-group --no-group --package --refresh-package -P --upgrade-package " +
			"--constraints -c --overrides --spec --pip-args --allow-insecure-host --prerelease --resolution --link-mode --color",
		folder: "--directory --project",
	}
	container = runner{
		subs:  "run exec start container compose",
		flags: "-i -t -d -P -q -a --interactive --tty --rm --detach --init --privileged --read-only --publish-all --quiet --oom-kill-disable --no-healthcheck --sig-proxy --replace --tls --debug --latest",
		image: true,
	}
)

var runners = map[string]runner{
	"npx": npm, "npm": npm, "pnpm": npm, "pnpx": npm, "yarn": npm, "bunx": npm,
	"bun":  {subs: "run x", valued: "-r --preload --env-file -c --config -p --package", code: "-e --eval --print", folder: "--cwd"},
	"node": node, "nodejs": node, "tsx": node, "ts-node": node,
	"deno": {subs: "run", valued: "-c --config --import-map --env-file -L --log-level --cert --lock --location --seed", code: "eval"},
	"uvx":  uv, "uv": uv, "pipx": uv, "python": python, "py": python,
	"go":  {subs: "run tool", valued: "-tags -ldflags -gcflags -asmflags -exec -mod -modfile -overlay", folder: "-C"},
	"env": {valued: "-u --unset", code: "-S --split-string", folder: "-C --chdir"},
	"sh":  shell, "bash": shell, "zsh": shell, "dash": shell, "ksh": shell, "ash": shell, "fish": {code: "-c --command -C --init-command"},
	"docker": container, "podman": container, "nerdctl": container,
	"cmd": {subs: "/c /C /d /D /s /S /q /Q"},
}

// runnerOf finds the runner that a program is; python3.13 is python.
func runnerOf(name string) (runner, bool) {
	if strings.HasPrefix(name, "python") {
		name = strings.TrimRight(name, "0123456789.")
	}
	r, ok := runners[name]
	return r, ok
}

// subject skips the options, settings and sub-commands of a runner. It returns
// what runs with its arguments and the folder that it is said to be in; nothing
// where a program text runs, or nothing is named.
func (r *runner) subject(args []string) (rest []string, folder string) {
	for len(args) > 0 {
		word := args[0]
		args = args[1:]
		key, value, joined := strings.Cut(word, "=")
		switch {
		case word == "--":
			return args, folder
		case r.runsCode(key):
			return nil, ""
		case has(r.folder, key):
			if !joined && len(args) > 0 {
				value, args = args[0], args[1:]
			}
			folder = value
		case strings.HasPrefix(word, "-"):
			if !joined && r.takesValue(word) && len(args) > 0 {
				args = args[1:]
			}
		case !joined && !has(r.subs, word):
			return append([]string{word}, args...), folder
		}
	}
	return nil, ""
}

// runsCode says whether an option, or one of a cluster such as -lc, takes a
// program text.
func (r *runner) runsCode(key string) bool {
	if has(r.code, key) {
		return true
	}
	for _, letter := range cluster(key) {
		if has(r.code, "-"+string(letter)) {
			return true
		}
	}
	return false
}

// takesValue says whether the word after an option is its value. In a cluster
// the first option with a value takes the rest of it, or else the next word.
func (r *runner) takesValue(word string) bool {
	letters := cluster(word)
	if has(r.valued, word) || letters == "" {
		return r.isValued(word)
	}
	for i, letter := range letters {
		if r.isValued("-" + string(letter)) {
			return i == len(letters)-1
		}
	}
	return false
}

func (r *runner) isValued(option string) bool {
	if r.flags != "" {
		return !has(r.flags, option)
	}
	return has(r.valued, option)
}

// cluster returns the letters of options that are written as one; "" of any
// other word.
func cluster(word string) string {
	if len(word) > 2 && word[0] == '-' && word[1] != '-' {
		return word[1:]
	}
	return ""
}

// has says whether a word is one of a list.
func has(list, word string) bool {
	for w := range strings.FieldsSeq(list) {
		if w == word {
			return true
		}
	}
	return false
}
