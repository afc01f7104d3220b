package execute

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/citizencloud/citizencloud/graph/tree"
)

// errReply says that a reply is no answer to what was asked.
var errReply = errors.New("reply does not answer the request")

// merge writes a fetch's reply into its targets, and its errors into those of the run.
func (r *run) merge(f *fetch, s *state) {
	err := s.err
	reported := false
	if err == nil {
		var wire []wireError
		if wire, err = wireErrors(s); len(wire) > 0 {
			r.reportAll(f, s, wire)
			reported = true
		}
	}
	if err == nil {
		err = r.mergeData(f, s, reported)
	}
	if err != nil {
		r.fail(f, s, err)
	}
}

// mergeData merges the data; reported says that errors came with it.
func (r *run) mergeData(f *fetch, s *state, reported bool) error {
	data := s.answer.Data
	if f.entity == nil {
		if data.Kind != tree.Object {
			return r.nothing(f, s, reported)
		}
		r.shared = r.shared || len(s.targets) > 1 && f.nested
		for _, t := range s.targets {
			if err := r.tree.Merge(t.object, data, f.fields, len(s.targets) > 1); err != nil {
				return err
			}
		}
		return nil
	}
	if data.Kind != tree.Object {
		return r.nothing(f, s, reported)
	}
	entities := r.tree.Slot(data, s.entities())
	if entities.Kind <= tree.Null {
		return r.nothing(f, s, reported)
	}
	if entities.Kind != tree.List || int(entities.B) != len(s.spans) {
		return fmt.Errorf("%d representations, %d entities: %w", len(s.spans), entities.B, errReply)
	}
	share := len(s.targets) > len(s.spans)
	r.shared = r.shared || share && f.nested
	for _, t := range s.targets {
		switch entity := r.tree.Elements(entities)[t.entity]; entity.Kind {
		case tree.Null:
			r.tree.Nullify(t.object, f.fields, entity.Flags)
		case tree.Object:
			if err := r.tree.Merge(t.object, entity, f.fields, share); err != nil {
				return err
			}
		default:
			return errReply
		}
	}
	return nil
}

// nothing handles a reply without data, which is right only where errors explain it.
func (r *run) nothing(f *fetch, s *state, reported bool) error {
	if !reported {
		return errReply
	}
	for _, t := range s.targets {
		r.tree.Explain(t.object, f.fields)
	}
	return nil
}

// wireError is an error as a subgraph writes it.
type wireError struct {
	Message    string                     `json:"message"`
	Path       []any                      `json:"path"`
	Extensions map[string]json.RawMessage `json:"extensions"`
}

// wireErrors are the errors of a reply.
func wireErrors(s *state) ([]wireError, error) {
	var wire []wireError
	switch {
	case s.answer.Errors != nil:
		if err := json.Unmarshal(s.answer.Errors, &wire); err != nil {
			return nil, fmt.Errorf("errors: %w", err)
		}
	case len(s.reply.Errors) > 0:
		// Errors from within the process take the same way as from outside.
		encoded, err := json.Marshal(s.reply.Errors)
		if err != nil {
			return nil, fmt.Errorf("errors: %w", err)
		}
		if err := json.Unmarshal(encoded, &wire); err != nil {
			return nil, fmt.Errorf("errors: %w", err)
		}
	}
	return wire, nil
}
