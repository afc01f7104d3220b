// Package reference holds the entities of other subgraphs that this one refers
// to: their IDs, under which the gateway finds the rest.
//
// Start reading anywhere.
package reference

// Area is the platform's area; its ID is the twelve digit code.
type Area struct{ ID string }

// IsEntity marks a federation entity.
func (*Area) IsEntity() {}

// Citizen is the platform's citizen.
type Citizen struct{ ID string }

// IsEntity marks a federation entity.
func (*Citizen) IsEntity() {}

// Worker is the platform's worker.
type Worker struct{ ID string }

// IsEntity marks a federation entity.
func (*Worker) IsEntity() {}
