package dispatch

import (
	"context"
	"encoding/json"
)

// runTool answers one call. Each of its returns is an ending; finish turns it
// into the call's one event.
func (d *Dispatcher) runTool(ctx context.Context, s *Session, r *RunTool) (reply Response) {
	c := d.begin(s, r.ToolID, r.Args)
	defer c.finish(&reply)
	if r.DryRun {
		return c.dryRun()
	}
	if !c.find() {
		return c.notFound()
	}
	if missing := c.grant.missing(c.entry.def.RequiredCapabilities); missing != nil {
		return c.denied(missing)
	}
	if !c.takePermit() {
		return c.limited()
	}
	if err := c.findSecrets(ctx); err != nil {
		return c.brokerFailed(err)
	}
	if why := c.entry.args.refuse(c.Args); why != "" {
		return c.invalidArgs(why)
	}
	if err := c.intend(ctx); err != nil {
		return c.unrecorded(err)
	}
	return c.end(c.execute(ctx))
}

// continueTool answers the request for a further page. It has the same endings
// as runTool, and one more: the cursor does not hold.
func (d *Dispatcher) continueTool(ctx context.Context, s *Session, r *RunToolContinue) (reply Response) {
	c := d.begin(s, r.ToolID, r.Args)
	defer c.finish(&reply)
	cursor, err := d.cursors.open(r.Cursor)
	if err != nil {
		return c.cursorRefused(err)
	}
	c.continues(cursor)
	if !cursor.isFor(r.ToolID, c.CallerID, c.Principal, r.Args) {
		return c.cursorRefused(errCursorInvalid)
	}
	if !c.find() {
		return c.notFound()
	}
	if c.entry.pager == nil {
		return c.cursorRefused(errCursorInvalid)
	}
	if missing := c.grant.missing(c.entry.def.RequiredCapabilities); missing != nil {
		return c.denied(missing)
	}
	if !c.takePermit() {
		return c.limited()
	}
	if err := c.intend(ctx); err != nil {
		return c.unrecorded(err)
	}
	return c.end(c.execute(ctx))
}

var null = json.RawMessage("null")
