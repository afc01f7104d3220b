package access

import "context"

// Remote is where a request came from, as the transport found it out: limits
// and records depend on it, permissions never do.
type Remote struct {
	Address string // the client's IP address; "" when not known
	Client  string // the client's name (X-Client-Id), such as "app"; "" when not known
	Request string // the request's ID (X-Request-Id); "" when not known
}

type remoteKey struct{}

// WithRemote puts the origin of the request into the context; the server calls it.
func WithRemote(ctx context.Context, remote Remote) context.Context {
	return context.WithValue(ctx, remoteKey{}, remote)
}

// RemoteOf gives the origin of the request; empty when the server set none.
func RemoteOf(ctx context.Context) Remote {
	remote, _ := ctx.Value(remoteKey{}).(Remote)
	return remote
}
