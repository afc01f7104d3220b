package file

import "slices"

// State is where a file stands in its life.
type State string

// The states.
const (
	Scanning    State = "SCANNING"    // waits for the scanner; not served
	Available   State = "AVAILABLE"   // served to whoever may
	Quarantined State = "QUARANTINED" // the scanner found something; never served
	Deleted     State = "DELETED"     // by its owner, who may bring it back for a while; not served
	Archived    State = "ARCHIVED"    // past bringing back, kept only for its retention or a hold; not served
	Purged      State = "PURGED"      // the content is gone; the row says that there was one
)

// transitions are the changes that there are; any other is refused.
var transitions = map[State][]State{
	Scanning:    {Available, Quarantined, Deleted},
	Available:   {Scanning, Quarantined, Deleted},
	Quarantined: {Scanning, Available, Deleted},
	Deleted:     {Scanning, Available, Quarantined, Archived, Purged},
	Archived:    {Purged},
}

// may says whether a file may go from one state to the other. A new content
// (replacing) leads to Scanning or Available from each of the first three.
func (s State) may(to State) bool { return slices.Contains(transitions[s], to) }

// verdict is what is known of a content.
type verdict string

const (
	unscanned verdict = "SCANNING"
	clean     verdict = "CLEAN"
	infected  verdict = "QUARANTINED"
)

// state is that of a file whose content has the verdict.
func (v verdict) state() State {
	switch v {
	case clean:
		return Available
	case infected:
		return Quarantined
	default:
		return Scanning
	}
}
