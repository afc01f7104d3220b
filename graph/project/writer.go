package project

import (
	"sync"

	"github.com/citizencloud/citizencloud/graph/tree"
)

// maxErrors bounds the errors of one answer: a broken subgraph could fail each of a million fields.
const maxErrors = 200

// Writer writes one answer. Use New, then Write, then Release.
type Writer struct {
	Body []byte
	// Errors are those of the fetches, to which Write adds its own.
	Errors []Error
	// Holds are the values of the projection's conditions.
	Holds []bool
	// Shared says that some objects stand in several places.
	Shared bool
	// Variables are the client's, coerced, for introspection.
	Variables map[string]any

	tree       *tree.Tree
	projection *Projection
	limit      int // of Body
	overflow   bool
	path       []crumb
	written    []written
	explained  int // how many of the values that are being written miss something for a reason that is reported
	orders     map[orderKey][]*field
}

// written is where in the body an object stands as a field shows it. An entity that stands in
// several places is one object, which is written once and copied for the others. They are
// in the order of their ends; what stands in a part that was taken back is forgotten, and
// its number given to another object.
type written struct {
	source     uint16 // the object, by its tree.Value's Src and A
	object     uint32
	field      uint32
	start, end int
}

// crumb is a step of the path to what is being written; it is spelled out only for an error.
type crumb struct {
	field *field
	index int
}

var writers = sync.Pool{New: func() any { return new(Writer) }}

// maxAnswer bounds one answer: an entity is fetched once and may be shown a million times.
const maxAnswer = 256 << 20

// maxBody is the capacity above which a body is not pooled.
const maxBody = 1 << 20

// NewWriter returns an empty writer.
func NewWriter() *Writer { return writers.Get().(*Writer) }

// Release gives the writer's memory back, the body included.
func (w *Writer) Release() {
	if cap(w.Body) > maxBody {
		w.Body = nil
	}
	clear(w.Errors)
	clear(w.orders)
	if cap(w.written) > maxBody/16 {
		w.written = nil
	}
	w.Body, w.Errors, w.Holds, w.path, w.written = w.Body[:0], w.Errors[:0], w.Holds[:0], w.path[:0], w.written[:0]
	w.Variables, w.tree, w.projection, w.Shared = nil, nil, nil, false
	writers.Put(w)
}
