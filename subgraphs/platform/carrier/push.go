package carrier

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// The push services.
const (
	APNs   = "APNS"
	Huawei = "HUAWEI"
	Xiaomi = "XIAOMI"
)

// Notice is one message to one device.
type Notice struct {
	Key   string // apns-id, and the collapse key of the others: a UUID
	Token string // the service's name for the device
	Title string
	Body  string
	Link  string
}

// Service is how one push service is reached.
type Service struct {
	URL           string        // without a path
	Authorization Authorization // see push_authorization.go
	App           string        // bundle ID, app ID or package name
}

// Authorization gives the header of that name for a request now.
type Authorization func(context.Context) (string, error)

// Pusher speaks the HTTP interfaces of the push services: APNs' POST
// /3/device/{token}, Huawei Push Kit's POST /v1/{appId}/messages:send, Xiaomi's
// POST /v3/message/regid.
type Pusher struct {
	services map[string]Service
	client   *http.Client
}

// NewPusher makes it. A service that is not given is simulated in the process,
// by the same requests, where simulate says so; else nothing is pushed there.
func NewPusher(services map[string]Service, simulate bool) *Pusher {
	p := &Pusher{services: map[string]Service{}, client: &http.Client{Timeout: submitTimeout, Transport: simulated{real: http.DefaultTransport, simulator: NewPushSimulator()},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	for _, name := range []string{APNs, Huawei, Xiaomi} {
		if s, ok := services[name]; ok {
			p.services[name] = s
		} else if simulate {
			p.services[name] = Service{URL: "http://" + simulatedHost, Authorization: Fixed("simulated"), App: "citizencloud"}
		}
	}
	return p
}

// Push hands the notice to the vendor's service. Errors are as Provider.Submit's.
func (p *Pusher) Push(ctx context.Context, vendor string, n Notice) (string, error) {
	service, ok := p.services[vendor]
	if !ok {
		return "", &Refusal{Permanent: true, Reason: "NO_SERVICE"}
	}
	request, err := service.request(ctx, vendor, n)
	if err != nil {
		return "", fmt.Errorf("carrier: %s: %w", vendor, err)
	}
	if authorization, err := service.Authorization(ctx); err == nil {
		request.Header.Set("Authorization", authorization)
	} else {
		return "", errors.Join(&Refusal{Reason: "NO_AUTHORIZATION"}, fmt.Errorf("carrier: %s: %w", vendor, err))
	}
	response, err := p.client.Do(request)
	if err != nil {
		var address *url.Error
		if errors.As(err, &address) {
			err = address.Err // the URL bears the device's token
		}
		return "", fmt.Errorf("carrier: %s: %w", vendor, err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<16))
	if err != nil {
		return "", fmt.Errorf("carrier: %s: reading the answer: %w", vendor, err)
	}
	return judge(vendor, response, body)
}

func (s Service) request(ctx context.Context, vendor string, n Notice) (*http.Request, error) {
	post := func(path, media string, body []byte) (*http.Request, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(s.URL, "/")+path, bytes.NewReader(body))
		if err == nil {
			r.Header.Set("Content-Type", media)
		}
		return r, err
	}
	switch vendor {
	case APNs:
		body, err := json.Marshal(map[string]any{"aps": map[string]any{"alert": map[string]string{"title": n.Title, "body": n.Body}, "sound": "default"}, "link": n.Link})
		if err != nil {
			return nil, err
		}
		r, err := post("/3/device/"+url.PathEscape(n.Token), "application/json", body)
		if err == nil {
			r.Header.Set("apns-id", n.Key)
			r.Header.Set("apns-topic", s.App)
			r.Header.Set("apns-push-type", "alert")
		}
		return r, err
	case Huawei:
		body, err := json.Marshal(map[string]any{"validate_only": false, "message": map[string]any{
			"notification": map[string]string{"title": n.Title, "body": n.Body}, "data": n.Link, "token": []string{n.Token},
			"android": map[string]any{"bi_tag": n.Key, "notification": map[string]any{"click_action": map[string]int{"type": 3}, "tag": n.Key}},
		}})
		if err != nil {
			return nil, err
		}
		return post("/v1/"+url.PathEscape(s.App)+"/messages:send", "application/json; charset=UTF-8", body)
	default:
		form := url.Values{"registration_id": {n.Token}, "restricted_package_name": {s.App}, "title": {n.Title}, "description": {n.Body}, "payload": {n.Link},
			"pass_through": {"0"}, "notify_type": {"-1"}, "extra.jobkey": {n.Key}}
		return post("/v3/message/regid", "application/x-www-form-urlencoded", []byte(form.Encode()))
	}
}

// judge reads the service's answer.
func judge(vendor string, response *http.Response, body []byte) (string, error) {
	status := response.StatusCode
	if status == http.StatusTooManyRequests || status >= 500 {
		return "", &Refusal{Reason: fmt.Sprintf("HTTP_%d", status)}
	}
	var told struct {
		Reason    string          `json:"reason"`    // APNs
		Code      json.RawMessage `json:"code"`      // Huawei: text, Xiaomi: number
		RequestID string          `json:"requestId"` // Huawei
		Data      struct {
			ID string `json:"id"`
		} `json:"data"` // Xiaomi
	}
	if len(body) > 0 && json.Unmarshal(body, &told) != nil {
		return "", fmt.Errorf("carrier: %s: the answer cannot be read (%d)", vendor, status)
	}
	code := strings.Trim(string(told.Code), `"`)
	switch {
	case vendor == APNs && status == http.StatusOK:
		return response.Header.Get("apns-id"), nil
	case vendor == APNs:
		return "", &Refusal{Permanent: status == http.StatusGone || told.Reason == "BadDeviceToken", Reason: told.Reason}
	case vendor == Huawei && status == http.StatusOK && code == "80000000":
		return told.RequestID, nil
	case vendor == Huawei:
		return "", &Refusal{Permanent: code == "80300007", Reason: code} // all tokens are invalid
	case status == http.StatusOK && code == "0":
		return told.Data.ID, nil
	default:
		return "", &Refusal{Permanent: code == "20301", Reason: code} // no valid registration
	}
}
