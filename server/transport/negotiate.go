package transport

import "net/http"

// media is the media type of an answer.
type media uint8

const (
	mediaJSON     media = iota // application/json, also where nothing was agreed on yet
	mediaResponse              // application/graphql-response+json
	mediaEvents                // text/event-stream
)

// negotiate agrees with the client on the answer's media type. No Accept
// header means application/graphql-response+json, as GraphQL over HTTP says
// for the time after 1 January 2025; a bare wildcard means application/json,
// which every client understands.
func negotiate(_ *Server, x *exchange) *refusal {
	if method := x.r.Method; method != http.MethodPost && method != http.MethodGet {
		return &refusal{status: http.StatusMethodNotAllowed, code: codeMethod, allow: "GET, POST", message: "只支持 GET 与 POST"}
	}
	accept := x.r.Header["Accept"]
	if x.events {
		return negotiateEvents(x, accept)
	}
	switch len(accept) {
	case 0:
		x.media = mediaResponse
		return nil
	case 1:
		switch accept[0] { // what most clients send, with no parsing
		case "application/graphql-response+json", "application/graphql-response+json, application/json;q=0.9":
			x.media = mediaResponse
			return nil
		case "application/json", "*/*":
			return nil
		}
	}
	qualities := parseAccept(accept)
	response := qualities.of("application/graphql-response+json")
	json := qualities.of("application/json", "application/*", "*/*")
	events := qualities.of("text/event-stream", "text/*")
	x.eventsToo = events > 0
	switch best := max(response, json, events); best {
	case 0:
		return &refusal{
			status: http.StatusNotAcceptable, code: codeNotAcceptable,
			message: "Accept 须包含 application/graphql-response+json、application/json 或 text/event-stream",
		}
	case response:
		x.media = mediaResponse
	case json:
		x.media = mediaJSON
	default:
		x.media = mediaEvents
	}
	return nil
}

// negotiateEvents is for the endpoint that only streams.
func negotiateEvents(x *exchange, accept []string) *refusal {
	x.media = mediaEvents
	if len(accept) == 0 || parseAccept(accept).of("text/event-stream", "text/*", "*/*") > 0 {
		return nil
	}
	x.media = mediaJSON
	return &refusal{status: http.StatusNotAcceptable, code: codeNotAcceptable, message: "Accept 须包含 text/event-stream"}
}
