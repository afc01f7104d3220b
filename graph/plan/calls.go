package plan

// Calls predicts how many requests to subgraphs one run of a plan makes.
//
// A plan batches: however many objects a fetch completes, it is one request.
// So the number does not grow with the data; it shrinks where a condition does
// not hold, or where earlier replies leave nothing to complete.
type Calls struct {
	// Least are sent by every run, whatever the variables and the data.
	Least int
	// Most is every fetch of the plan.
	Most int
	// Rounds is the longest chain of fetches that wait for each other.
	Rounds int
	// Subgraphs are the subgraphs asked, in the order of their first fetch.
	Subgraphs []SubgraphCalls
}

// SubgraphCalls is one subgraph's share of Calls.Most.
type SubgraphCalls struct {
	Subgraph string // the join__Graph enum value
	Most     int
}

// PredictCalls counts the requests of one run, of a subscription those that
// each event costs: the first fetch is the subscription itself, from which the
// events come, and counts as a round but not as a request.
func PredictCalls(p *Plan) Calls {
	var c Calls
	rounds := Rounds(p)
	at := map[string]int{}
	for i, f := range p.Fetches {
		c.Rounds = max(c.Rounds, rounds[i]+1)
		if p.Operation == "subscription" && i == 0 {
			continue
		}
		c.Most++
		if f.Path == nil && f.Parts == nil && f.When == nil {
			c.Least++
		}
		index, known := at[f.Subgraph]
		if !known {
			index = len(c.Subgraphs)
			at[f.Subgraph] = index
			c.Subgraphs = append(c.Subgraphs, SubgraphCalls{Subgraph: f.Subgraph})
		}
		c.Subgraphs[index].Most++
	}
	return c
}

// Rounds numbers each fetch by its longest chain of predecessors, from 0:
// fetches of one round can be in flight at the same time. It describes a plan;
// the executor starts each fetch when its own predecessors are merged.
func Rounds(p *Plan) []int {
	rounds := make([]int, len(p.Fetches))
	for i, f := range p.Fetches {
		for _, before := range f.After {
			rounds[i] = max(rounds[i], rounds[before]+1)
		}
	}
	return rounds
}
