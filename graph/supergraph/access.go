package supergraph

import (
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// Access is what one directive application asks of a caller: one of the
// alternatives, and in it every right. An element may bear several; then all
// of them must be satisfied.
type Access [][]Right

// Right is one thing that a caller has or has not.
type Right struct {
	Kind RightKind
	Name string // "" of Authenticated
}

// RightKind tells rights apart; a scope and a policy may bear the same name.
type RightKind byte

// The kinds of rights.
const (
	Authenticated RightKind = iota + 1 // @authenticated
	Scope                              // @requiresScopes
	Policy                             // @policy
)

// AccessRules are the access rules of a supergraph as they stand in it, by the
// elements that bear them. Rules on machinery are not read.
type AccessRules struct {
	types  map[string][]Access
	fields map[string]map[string][]Access
}

// Type is what stands at the type itself.
func (r *AccessRules) Type(name string) []Access { return r.types[name] }

// Field is what stands at the field itself.
func (r *AccessRules) Field(holder, name string) []Access { return r.fields[holder][name] }

// Empty says that there are no rules.
func (r *AccessRules) Empty() bool { return len(r.types) == 0 && len(r.fields) == 0 }

// accessDirective is one of the three, as this supergraph calls it.
type accessDirective struct {
	specification, argument string
	kind                    RightKind
}

var accessDirectives = []accessDirective{
	{"authenticated", "", Authenticated},
	{"requiresScopes", "scopes", Scope},
	{"policy", "policies", Policy},
}

// ReadAccess reads @authenticated, @requiresScopes and @policy, whatever the
// supergraph's links call them. A rule that cannot be understood is an error,
// which names the element: to leave it out would open what somebody closed.
func (s *Supergraph) ReadAccess() (*AccessRules, error) {
	r := &AccessRules{types: map[string][]Access{}, fields: map[string]map[string][]Access{}}
	named := map[string]accessDirective{}
	for _, directive := range accessDirectives {
		for _, name := range s.namesOf(directive.specification, directive.specification) {
			named[name] = directive
		}
	}
	for name, t := range s.types {
		rules, err := accessOf(t.Definition.Directives, named, name)
		if err != nil {
			return nil, err
		}
		if rules != nil {
			r.types[name] = rules
		}
		for _, field := range t.Definition.Fields {
			rules, err := accessOf(field.Directives, named, name+"."+field.Name)
			if err != nil {
				return nil, err
			}
			if rules == nil {
				continue
			}
			if r.fields[name] == nil {
				r.fields[name] = map[string][]Access{}
			}
			r.fields[name][field.Name] = rules
		}
	}
	return r, nil
}

func accessOf(directives ast.DirectiveList, named map[string]accessDirective, place string) ([]Access, error) {
	var rules []Access
	for _, directive := range directives {
		kind, ok := named[directive.Name]
		if !ok {
			continue
		}
		access, err := readAccess(directive, kind)
		if err != nil {
			return nil, fmt.Errorf("supergraph: %s: @%s: %w", place, directive.Name, err)
		}
		rules = append(rules, access)
	}
	return rules, nil
}

func readAccess(directive *ast.Directive, kind accessDirective) (Access, error) {
	if kind.argument == "" {
		return Access{{{Kind: kind.kind}}}, nil
	}
	argument := directive.Arguments.ForName(kind.argument)
	if argument == nil {
		return nil, fmt.Errorf("%s is missing", kind.argument)
	}
	var access Access
	for _, alternative := range items(argument.Value) {
		var rights []Right
		for _, right := range items(alternative) {
			if right.Kind != ast.StringValue && right.Kind != ast.BlockValue || right.Raw == "" {
				return nil, fmt.Errorf("%s is no list of lists of names", kind.argument)
			}
			rights = append(rights, Right{kind.kind, right.Raw})
		}
		if len(rights) == 0 {
			return nil, fmt.Errorf("an alternative in %s is empty: it would let everybody in", kind.argument)
		}
		access = append(access, rights)
	}
	if len(access) == 0 {
		return nil, fmt.Errorf("%s is empty: it would let nobody in", kind.argument)
	}
	return access, nil
}

// items are the elements of a list; a single value stands for a list of one.
func items(value *ast.Value) []*ast.Value {
	if value.Kind != ast.ListValue {
		return []*ast.Value{value}
	}
	list := make([]*ast.Value, 0, len(value.Children))
	for _, child := range value.Children {
		list = append(list, child.Value)
	}
	return list
}

// namesOf are the names (without @) under which the supergraph may apply a
// directive of a specification: as the links import or rename it, by its
// namespace, and its own name.
func (s *Supergraph) namesOf(specification, element string) []string {
	// Its own name counts even without a link: a rule too many is safer than one
	// that is passed over, and compositions link the cost specification without
	// importing what they use of it.
	names := map[string]bool{element: true}
	for _, link := range s.Full.SchemaDirectives {
		url := text(link, "url")
		if url == "" {
			url = text(link, "feature")
		}
		if !strings.HasPrefix(url, "https://specs.apollo.dev/"+specification+"/") {
			continue
		}
		prefix := text(link, "as")
		if prefix == "" {
			prefix = specification
		}
		names[prefix+"__"+element] = true
		if element == specification {
			names[prefix] = true
		}
		if imports := link.Arguments.ForName("import"); imports != nil {
			for _, item := range items(imports.Value) {
				from, as := item.Raw, item.Raw
				if item.Kind == ast.ObjectValue {
					if name := item.Children.ForName("name"); name != nil {
						from, as = name.Raw, name.Raw
					}
					if name := item.Children.ForName("as"); name != nil {
						as = name.Raw
					}
				}
				if from == "@"+element {
					names[strings.TrimPrefix(as, "@")] = true
				}
			}
		}
	}
	list := make([]string, 0, len(names))
	for name := range names {
		list = append(list, name)
	}
	return list
}
