package seal

import (
	"os"
	"sync/atomic"
	"time"

	"github.com/tooltrail/tooltrail/internal/durable"
)

// showProgress tells how far the hashing is until it has finished.
func (v *verification) showProgress(finished <-chan struct{}, done *atomic.Int64, total int64) {
	if v.opts.Progress == nil {
		<-finished
		return
	}
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	for {
		select {
		case <-finished:
			v.opts.Progress(done.Load(), total)
			return
		case <-tick.C:
			v.opts.Progress(done.Load(), total)
		}
	}
}

const progressEvery = 100 * time.Millisecond

func openRead(path string) (*os.File, error) { return durable.OpenRead(path) }
