package plan

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"
)

// The JSON form of a plan. Its names are a contract with whoever reads it
// (dashboards, scripts): they are added to, never renamed. A list that is
// always there is [] when empty; what may be absent is left out.
type (
	planJSON struct {
		Operation string         `json:"operation"`
		Name      string         `json:"name,omitempty"`
		Calls     callsJSON      `json:"calls"`
		Variables []variableJSON `json:"variables"`
		// Labels are those of progressive overrides on which the plan depends.
		Labels   []labelJSON  `json:"labels,omitempty"`
		Fetches  []fetchJSON  `json:"fetches"`
		Response []outputJSON `json:"response"`
	}
	labelJSON struct {
		Name   string `json:"name"`
		Active bool   `json:"active"`
	}
	callsJSON struct {
		Least     int                 `json:"least"`
		Most      int                 `json:"most"`
		Rounds    int                 `json:"rounds"`
		Subgraphs []subgraphCallsJSON `json:"subgraphs"`
	}
	subgraphCallsJSON struct {
		Subgraph string `json:"subgraph"`
		Most     int    `json:"most"`
	}
	variableJSON struct {
		Name    string `json:"name"`
		Type    string `json:"type"`
		Default string `json:"default,omitempty"`
	}
	fetchJSON struct {
		ID        int            `json:"id"`
		Kind      string         `json:"kind"` // root or entities
		Subgraph  string         `json:"subgraph"`
		Operation string         `json:"operation"`
		Round     int            `json:"round"`
		After     []int          `json:"after"`
		When      []literalsJSON `json:"when,omitempty"`
		Places    []placeJSON    `json:"places"` // none: the root
		Variables []string       `json:"variables"`
		// RepresentationsVariable is the document's variable for them; absent of a root fetch.
		RepresentationsVariable string          `json:"representationsVariable,omitempty"`
		Selection               []selectionJSON `json:"selection"`
		Document                string          `json:"document"`
		// Contexts are variables that ancestors fill.
		Contexts []contextJSON `json:"contexts,omitempty"`
		// Parts are there where one request carries several entity fetches: what
		// is said of each. Places above are those of all; there is no selection
		// and no variable above.
		Parts []partJSON `json:"parts,omitempty"`
	}
	contextJSON struct {
		Variable string       `json:"variable"`
		Type     string       `json:"type"`
		Sources  []sourceJSON `json:"sources"` // the nearest first
	}
	sourceJSON struct {
		Depth  int              `json:"depth"` // how many steps of the place's path lead there
		Types  []string         `json:"types,omitempty"`
		Fields []inputFieldJSON `json:"fields"`
	}
	partJSON struct {
		Alias                   string          `json:"alias"` // the key of its entities in the reply
		When                    []literalsJSON  `json:"when,omitempty"`
		Places                  []placeJSON     `json:"places"`
		Variables               []string        `json:"variables"`
		RepresentationsVariable string          `json:"representationsVariable"`
		Selection               []selectionJSON `json:"selection"`
	}
	placeJSON struct {
		Path            []stepJSON  `json:"path"`
		Representations []inputJSON `json:"representations"`
	}
	stepJSON struct {
		Key   string   `json:"key"`
		Types []string `json:"types,omitempty"`
	}
	inputJSON struct {
		Types    []string         `json:"types,omitempty"`
		Typename string           `json:"typename,omitempty"`
		Fields   []inputFieldJSON `json:"fields"`
	}
	inputFieldJSON struct {
		Name   string           `json:"name"`
		From   string           `json:"from"`
		Key    bool             `json:"key"`
		Types  []string         `json:"types,omitempty"`
		Fields []inputFieldJSON `json:"fields,omitempty"`
	}
	selectionJSON struct {
		Field      string          `json:"field,omitempty"` // absent: a fragment
		Alias      string          `json:"alias,omitempty"`
		Arguments  []argumentJSON  `json:"arguments,omitempty"`
		On         string          `json:"on,omitempty"`
		When       []literalsJSON  `json:"when,omitempty"`
		Selections []selectionJSON `json:"selections,omitempty"`
	}
	argumentJSON struct {
		Name  string `json:"name"`
		Value string `json:"value"` // as it stands in the document
	}
	outputJSON struct {
		Key           string         `json:"key"`
		From          string         `json:"from"`
		Field         string         `json:"field"`
		Type          string         `json:"type"`
		Types         []string       `json:"types,omitempty"`
		When          []literalsJSON `json:"when,omitempty"`
		Introspection bool           `json:"introspection,omitempty"`
		Denied        bool           `json:"denied,omitempty"`
		Withheld      []string       `json:"withheld,omitempty"`
		// Order is there where the place in the answer depends on variables or on the runtime type.
		Order  []occurrenceJSON `json:"order,omitempty"`
		Fields []outputJSON     `json:"fields,omitempty"`
	}
	occurrenceJSON struct {
		At    int            `json:"at"`
		Types []string       `json:"types,omitempty"`
		When  []literalsJSON `json:"when,omitempty"`
	}
	// literalsJSON must all hold; a list of them holds when one does.
	literalsJSON []literalJSON
	literalJSON  struct {
		Variable string `json:"variable"`
		Is       bool   `json:"is"`
	}
)

// JSON is the plan as indented JSON, with the predicted calls: what Print
// shows, for programs. Equal plans give equal bytes.
func JSON(p *Plan) ([]byte, error) {
	calls := PredictCalls(p)
	made := planJSON{
		Operation: string(p.Operation), Name: p.Name,
		Calls:     callsJSON{Least: calls.Least, Most: calls.Most, Rounds: calls.Rounds, Subgraphs: []subgraphCallsJSON{}},
		Variables: []variableJSON{}, Fetches: []fetchJSON{},
		Response: listJSON(p.Response, (*Output).json),
	}
	for _, s := range calls.Subgraphs {
		made.Calls.Subgraphs = append(made.Calls.Subgraphs, subgraphCallsJSON(s))
	}
	for _, definition := range p.Variables {
		v := variableJSON{Name: definition.Variable, Type: definition.Type.String()}
		if definition.DefaultValue != nil {
			v.Default = definition.DefaultValue.String()
		}
		made.Variables = append(made.Variables, v)
	}
	for _, label := range p.Labels {
		made.Labels = append(made.Labels, labelJSON(label))
	}
	rounds := Rounds(p)
	for i, f := range p.Fetches {
		fetch := f.json()
		fetch.Round = rounds[i]
		made.Fetches = append(made.Fetches, fetch)
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(made); err != nil {
		return nil, fmt.Errorf("plan: as JSON: %w", err)
	}
	return b.Bytes(), nil
}

func (f *Fetch) json() fetchJSON {
	made := fetchJSON{
		ID: f.ID, Kind: "root", Subgraph: f.Subgraph, Operation: string(f.Operation),
		After: append([]int{}, f.After...), When: conditionJSON(f.When), Places: []placeJSON{},
		Variables: append([]string{}, f.UsedVariables...),
		Selection: listJSON(f.Selection, (*Selection).json), Document: f.Document,
	}
	if f.Entities() {
		made.Kind = "entities"
	}
	if f.Inputs != nil {
		made.RepresentationsVariable = cmp.Or(f.Representations, representations)
	}
	for _, p := range f.AllPlaces() {
		made.Places = append(made.Places, placeOf(p.Path, p.Inputs))
	}
	for _, c := range f.Contexts {
		context := contextJSON{Variable: c.Variable, Type: c.Type.String()}
		for _, s := range c.Sources {
			context.Sources = append(context.Sources, sourceJSON{s.Depth, s.Types, listJSON(s.Fields, (*InputField).json)})
		}
		made.Contexts = append(made.Contexts, context)
	}
	for _, part := range f.Parts {
		of := part.json()
		made.Parts = append(made.Parts, partJSON{
			Alias: part.Alias, When: of.When, Places: of.Places, Variables: of.Variables,
			RepresentationsVariable: of.RepresentationsVariable, Selection: of.Selection,
		})
	}
	return made
}

func placeOf(path []Step, inputs []*Input) placeJSON {
	made := placeJSON{Path: []stepJSON{}, Representations: []inputJSON{}}
	for _, s := range path {
		made.Path = append(made.Path, stepJSON(s))
	}
	for _, in := range inputs {
		made.Representations = append(made.Representations, inputJSON{
			Types: in.Types, Typename: in.Typename, Fields: listJSON(in.Fields, (*InputField).json),
		})
	}
	return made
}

func (f *InputField) json() inputFieldJSON {
	return inputFieldJSON{Name: f.Name, From: f.From, Key: f.Key, Types: f.Types, Fields: listJSON(f.Fields, (*InputField).json)}
}

func (s *Selection) json() selectionJSON {
	return selectionJSON{
		Field: s.Name, Alias: s.Alias, On: s.On, When: conditionJSON(s.When),
		Arguments: listJSON(s.Arguments, func(a *ast.Argument) argumentJSON {
			return argumentJSON{Name: a.Name, Value: a.Value.String()}
		}),
		Selections: listJSON(s.Selections, (*Selection).json),
	}
}

func (o *Output) json() outputJSON {
	return outputJSON{
		Key: o.Key, From: o.From, Field: o.Name, Type: o.Type.String(), Types: o.Types,
		When: conditionJSON(o.When), Introspection: o.Introspection != nil, Denied: o.Denied, Withheld: o.Withheld,
		Order: listJSON(o.Order, func(at Occurrence) occurrenceJSON {
			return occurrenceJSON{At: at.At, Types: at.Types, When: conditionJSON(at.When)}
		}),
		Fields: listJSON(o.Fields, (*Output).json),
	}
}

func conditionJSON(c Condition) []literalsJSON {
	var made []literalsJSON
	for _, alternative := range c {
		literals := literalsJSON{}
		for _, literal := range alternative {
			literals = append(literals, literalJSON(literal))
		}
		made = append(made, literals)
	}
	return made
}

// listJSON is never nil, so that an empty list that is not left out is [].
func listJSON[From, To any](from []From, convert func(From) To) []To {
	to := make([]To, 0, len(from))
	for _, f := range from {
		to = append(to, convert(f))
	}
	return to
}
