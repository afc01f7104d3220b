package demo

import (
	"strconv"
	"strings"
)

// object is decoded JSON, read by paths such as "viewer.area.activities.edges.0.node.id".
type object map[string]any

// at gives what lies at the path, nil if nothing does.
func (o object) at(path string) any {
	var value any = map[string]any(o)
	for _, step := range strings.Split(path, ".") {
		switch v := value.(type) {
		case map[string]any:
			value = v[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(v) {
				return nil
			}
			value = v[i]
		default:
			return nil
		}
	}
	return value
}

func (o object) text(path string) string {
	text, _ := o.at(path).(string)
	return text
}

func (o object) number(path string) int {
	number, _ := o.at(path).(float64)
	return int(number)
}

func (o object) list(path string) []any {
	list, _ := o.at(path).([]any)
	return list
}
