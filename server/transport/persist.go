package transport

// persist turns the envelope's text or ID into the text that may run for the
// client.
func persist(s *Server, x *exchange) *refusal {
	resolved, err := s.Operations.Resolve(x.envelope.request(x.client))
	if err != nil {
		return unresolved(err)
	}
	x.envelope.query, x.envelope.operationName = resolved.Document, resolved.OperationName
	x.registered = resolved.Registered
	return nil
}
