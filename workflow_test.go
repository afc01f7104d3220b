package citizencloud_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/citizencloud/citizencloud/subgraphs/community/feedback"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow/definition"
)

// TestFeedbackDefinitionIsTheStateMachine compares the definition "feedback",
// which the workflow runs on, with the transitions that the feedback package
// itself keeps: neither may change without the other.
func TestFeedbackDefinitionIsTheStateMachine(t *testing.T) {
	builtins, err := definition.Builtins()
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(builtins, func(b definition.Builtin) bool { return b.Key == "feedback" })
	if at < 0 {
		t.Fatal("there is no definition of feedback")
	}
	d := builtins[at]
	var states []string
	var described []feedback.Transition
	for _, s := range d.States {
		states = append(states, s.Name)
		if got := feedback.FeedbackState(s.Name).Name(); got != s.Label {
			t.Errorf("%s is %q here and %q there", s.Name, s.Label, got)
		}
		if open := s.Kind == definition.KindTask || s.Name == string(feedback.WaitingInfo); open != feedback.FeedbackState(s.Name).Open() {
			t.Errorf("%s: to be dealt with here: %t", s.Name, open)
		}
		for _, a := range s.Actions {
			if len(a.To) != 1 {
				t.Errorf("%s in %s branches", a.Name, s.Name)
			}
			if got := feedback.FeedbackAction(a.Name).Name(); got != a.Label {
				t.Errorf("%s is %q here and %q there", a.Name, a.Label, got)
			}
			described = append(described, feedback.Transition{From: feedback.FeedbackState(s.Name), Action: feedback.FeedbackAction(a.Name), To: feedback.FeedbackState(a.To[0].To)})
		}
	}
	order := func(a, b feedback.Transition) int {
		return strings.Compare(string(a.From)+" "+string(a.Action), string(b.From)+" "+string(b.Action))
	}
	kept := feedback.Transitions()
	slices.SortFunc(kept, order)
	slices.SortFunc(described, order)
	if diff := cmp.Diff(kept, described); diff != "" {
		t.Errorf("the state machine (-) and the definition (+) differ:\n%s", diff)
	}
	var all []string
	for _, s := range feedback.States {
		all = append(all, string(s))
	}
	slices.Sort(all)
	slices.Sort(states)
	if diff := cmp.Diff(all, states); diff != "" {
		t.Error(diff)
	}
}
