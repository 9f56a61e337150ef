module github.com/tooltrail/tooltrail/bench

go 1.26.0

require (
	github.com/rs/zerolog v1.35.1
	github.com/tooltrail/tooltrail v0.0.0
	go.uber.org/zap v1.28.0
)

require (
	github.com/mattn/go-colorable v0.1.14 // indirect
	github.com/mattn/go-isatty v0.0.20 // indirect
	github.com/santhosh-tekuri/jsonschema/v6 v6.0.3 // indirect
	go.uber.org/multierr v1.10.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.14.0 // indirect
)

replace github.com/tooltrail/tooltrail => ../
