package seal

import "time"

// A Report is what [Verify] found out about a trail.
type Report struct {
	Trail  string `json:"trail"`            // its directory
	Origin string `json:"origin,omitempty"` // as its checkpoints say
	OK     bool   `json:"ok"`               // everything holds; Findings is empty

	Lines    uint64    `json:"lines"`     // the index behind the last line
	Sealed   uint64    `json:"sealed"`    // the size of the newest checkpoint
	Unsealed uint64    `json:"unsealed"`  // whole lines behind it
	SealedAt time.Time `json:"sealed_at"` // signed by the epoch's key
	Stopped  bool      `json:"stopped"`   // the last sealed line is a stop note

	Checkpoints int `json:"checkpoints"` // that hold
	Epochs      int `json:"epochs"`
	Restarts    int `json:"restarts"`
	Anchors     int `json:"anchors"` // that hold

	Events uint64 `json:"events"`
	// Lost are the events that the trail declares lost, by reason.
	Lost     map[string]uint64 `json:"lost"`
	Redacted uint64            `json:"redacted"`
	Pruned   uint64            `json:"pruned"` // lines that were pruned from the front
	Accepted []Range           `json:"accepted,omitempty"`

	// Witnessed is the size of the newest checkpoint that enough witnesses have
	// signed, when, and who. [Verify] leaves them to who has a policy.
	Witnessed   uint64    `json:"witnessed,omitempty"`
	WitnessedAt time.Time `json:"witnessed_at,omitzero"`
	Witnesses   []string  `json:"witnesses,omitempty"`

	Findings []Finding `json:"findings"`
}

// A Kind says what is wrong.
type Kind string

// The kinds of findings.
const (
	KindChanged           Kind = "changed"
	KindRemoved           Kind = "removed"
	KindInserted          Kind = "inserted"
	KindReordered         Kind = "reordered"
	KindTruncated         Kind = "truncated"
	KindMissingSegment    Kind = "missing_segment"
	KindTorn              Kind = "torn"
	KindTreeDamaged       Kind = "tree_damaged"
	KindCheckpointInvalid Kind = "checkpoint_invalid"
	KindKeyUnknown        Kind = "key_unknown"
	KindRootMismatch      Kind = "root_mismatch"
	KindFork              Kind = "fork"
	KindRollback          Kind = "rollback"
	KindEpochBroken       Kind = "epoch_broken"
	KindEpochRestart      Kind = "epoch_restart"
	KindStale             Kind = "stale"
	KindRedaction         Kind = "redaction_unauthorized"
	KindRedactionHalf     Kind = "redaction_unfinished"
	KindPruneUndeclared   Kind = "prune_undeclared"
	KindAfterStop         Kind = "after_stop"
	KindGap               Kind = "gap"
	KindDeclaredMissing   Kind = "declared_missing"
	KindHistoryDamaged    Kind = "history_damaged"
	KindNoCheckpoint      Kind = "no_checkpoint"
)

// A Finding is one thing that is wrong.
type Finding struct {
	Kind Kind `json:"kind"`
	// Segment is the file's name; "" where the finding is not about one.
	Segment string `json:"segment,omitempty"`
	// Line is the index in the trail of the first line concerned, InFile its
	// number in the segment, from 1 as editors count, and Offset where it
	// begins, in bytes. They mean something where Segment is given.
	Line   uint64 `json:"line"`
	InFile uint64 `json:"in_file,omitempty"`
	Offset int64  `json:"offset"`
	// Count is how many lines are concerned.
	Count uint64 `json:"count,omitempty"`
	// Says is one sentence for a person.
	Says string `json:"says"`
}
