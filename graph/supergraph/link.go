package supergraph

import (
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// links says which names of the document belong to which linked specification
// (the @link specification, or @core before it).
type links struct {
	// join is the prefix of the join specification's elements, and its version.
	join        string
	joinVersion string
	// inaccessible is the name of the @inaccessible directive, "" when it is not linked.
	inaccessible string
	// context is the name of the directive that sets a context, "" when it is not linked.
	context string
	// prefixes and elements are the names that are not part of the public schema:
	// namespace prefixes such as `join__`, and imported names (directives with `@`).
	prefixes map[string]bool
	elements map[string]bool
}

// builtInSpecifications lists the elements of specifications that Apollo's
// composition links without importing names, beside the directive that is
// called like the specification.
var builtInSpecifications = map[string][]string{
	"cost": {"@listSize"},
}

func readLinks(document *ast.SchemaDocument) (*links, error) {
	l := &links{prefixes: map[string]bool{}, elements: map[string]bool{}}
	definitions := append(append(ast.SchemaDefinitionList{}, document.Schema...), document.SchemaExtension...)
	for _, definition := range definitions {
		for _, directive := range definition.Directives {
			url := text(directive, "url")
			if url == "" {
				url = text(directive, "feature")
			}
			if url == "" {
				continue
			}
			l.add(url, directive)
		}
	}
	if l.join == "" {
		return nil, fmt.Errorf("supergraph: the schema does not link the join specification (@link(url: \"https://specs.apollo.dev/join/v0.3\")): is it a supergraph?")
	}
	switch l.joinVersion {
	case "v0.1", "v0.2", "v0.3", "v0.4", "v0.5":
	default:
		return nil, fmt.Errorf("supergraph: join specification %s is not supported; v0.1 to v0.5 are", l.joinVersion)
	}
	return l, nil
}

func (l *links) add(url string, directive *ast.Directive) {
	parts := strings.Split(strings.TrimSuffix(url, "/"), "/")
	version := parts[len(parts)-1]
	name := version
	if len(parts) > 1 && len(version) > 1 && version[0] == 'v' && version[1] >= '0' && version[1] <= '9' {
		name = parts[len(parts)-2]
	}
	prefix := text(directive, "as")
	if prefix == "" {
		prefix = name
	}
	l.prefixes[prefix] = true
	l.elements["@"+prefix] = true
	// The directive that carries the links is itself called as the link says.
	l.elements["@"+directive.Name] = true
	inaccessible, context := prefix, prefix
	for _, element := range builtInSpecifications[name] {
		l.elements[element] = true
	}
	if imports := directive.Arguments.ForName("import"); imports != nil {
		for _, item := range imports.Value.Children {
			from, as := item.Value.Raw, item.Value.Raw
			if item.Value.Kind == ast.ObjectValue {
				from, as = "", ""
				if value := item.Value.Children.ForName("name"); value != nil {
					from, as = value.Raw, value.Raw
				}
				if value := item.Value.Children.ForName("as"); value != nil {
					as = value.Raw
				}
			}
			if as == "" {
				continue
			}
			l.elements[as] = true
			switch from {
			case "@inaccessible":
				inaccessible = strings.TrimPrefix(as, "@")
			case "@context":
				context = strings.TrimPrefix(as, "@")
			}
		}
	}
	official := strings.HasPrefix(url, "https://specs.apollo.dev/")
	switch {
	case official && name == "join":
		l.join, l.joinVersion = prefix, version
	case official && name == "inaccessible":
		l.inaccessible = inaccessible
	case official && name == "context":
		l.context = context
	}
}

// machinery says whether a type (or with @ a directive) belongs to a linked
// specification rather than to the graph.
func (l *links) machinery(name string) bool {
	if l.elements[name] {
		return true
	}
	prefix, _, found := strings.Cut(strings.TrimPrefix(name, "@"), "__")
	return found && prefix != "" && l.prefixes[prefix]
}

// text is the string (or enum) argument of a directive, "" when absent.
func text(directive *ast.Directive, name string) string {
	if argument := directive.Arguments.ForName(name); argument != nil && argument.Value.Kind != ast.NullValue {
		return argument.Value.Raw
	}
	return ""
}

func flag(directive *ast.Directive, name string, otherwise bool) bool {
	if argument := directive.Arguments.ForName(name); argument != nil && argument.Value.Kind == ast.BooleanValue {
		return argument.Value.Raw == "true"
	}
	return otherwise
}
