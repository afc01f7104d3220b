package project

import (
	"math"
	"slices"

	"github.com/citizencloud/citizencloud/graph/tree"
)

// occurrence is one place where the operation names a field.
type occurrence struct {
	at    int
	types tree.Set
	when  int // index of its condition, -1 for always
}

// orderKey names the order of a selection for objects of one type; variables are the same for the whole answer.
type orderKey struct {
	selection uint32
	id        tree.TypeID
}

// ordered are the fields of a selection in the order of the first occurrence of each that applies.
func (w *Writer) ordered(s *selection, id tree.TypeID) []*field {
	key := orderKey{s.number, id}
	if fields, ok := w.orders[key]; ok {
		return fields
	}
	at := make(map[*field]int, len(s.fields))
	for _, f := range s.fields {
		at[f] = math.MaxInt
		for _, o := range f.order {
			if (o.when < 0 || w.Holds[o.when]) && o.types.Has(id) {
				at[f] = o.at
				break
			}
		}
	}
	fields := slices.Clone(s.fields)
	slices.SortStableFunc(fields, func(a, b *field) int { return at[a] - at[b] })
	if w.orders == nil {
		w.orders = map[orderKey][]*field{}
	}
	w.orders[key] = fields
	return fields
}
