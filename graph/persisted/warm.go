package persisted

// Failure is an operation of a manifest that the gateway cannot run.
type Failure struct {
	Client    string
	Operation string
	Err       error
}

// Error implements error.
func (f Failure) Error() string { return f.Client + "/" + f.Operation + ": " + f.Err.Error() }

// Unwrap gives why.
func (f Failure) Unwrap() error { return f.Err }

// Warm prepares every operation of every manifest, under the same text and
// name that Resolve gives for it, and returns those that failed, sorted by
// client and name; none if every manifest fits the schema.
func Warm(m *Manifests, prepare func(document, operationName string) error) []Failure {
	var failures []Failure
	for _, client := range m.Clients() {
		for _, operation := range m.Operations(client) {
			if err := prepare(operation.Body, operation.Name); err != nil {
				failures = append(failures, Failure{Client: client, Operation: operation.Name, Err: err})
			}
		}
	}
	return failures
}
