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
// The format on disk is specified in docs/formats/trail.md.
package trail
