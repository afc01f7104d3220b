package thirdparty

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// WeChatURL is the base of WeChat's interfaces.
const WeChatURL = "https://api.weixin.qq.com"

// WeChatSettings are those of a mini-program.
type WeChatSettings struct {
	AppID, Secret string
	URL           string            // "" is WeChatURL
	Transport     http.RoundTripper // nil is the usual one
	Simulated     bool              // whether a simulator answers
}

// weChat asks auth.code2Session: GET /sns/jscode2session, and for certified
// identities what stands in wechat_certify.go.
type weChat struct {
	settings WeChatSettings
	client   *http.Client
	token    accessToken
}

// NewWeChat makes the provider of mini-program sign-ins.
func NewWeChat(s WeChatSettings) (Provider, error) {
	if s.URL == "" {
		s.URL = WeChatURL
	}
	if s.AppID == "" || s.Secret == "" {
		return nil, errors.New("thirdparty: WeChat needs both an application's ID and its secret")
	}
	if err := checkBase(s.URL); err != nil {
		return nil, fmt.Errorf("thirdparty: WeChat: %w", err)
	}
	return &weChat{settings: s, client: newClient(s.Transport)}, nil
}

// The error codes of code2Session that are about the code itself.
const (
	weChatInvalidCode = 40029
	weChatUsedCode    = 40163
	weChatRiskyUser   = 40226
)

// Subject implements Provider: the unionid where the mini-program is bound to an
// open platform, so that all applications of it know the same person; else the
// openid. The session key is not kept.
func (w *weChat) Subject(ctx context.Context, code string) (string, error) {
	openID, unionID, err := w.session(ctx, code)
	if err != nil {
		return "", err
	}
	if unionID != "" {
		return "union:" + unionID, nil
	}
	return "open:" + openID, nil
}

// session exchanges the code; the unionid may be "".
func (w *weChat) session(ctx context.Context, code string) (openID, unionID string, err error) {
	query := url.Values{"appid": {w.settings.AppID}, "secret": {w.settings.Secret}, "js_code": {code}, "grant_type": {"authorization_code"}}
	address := strings.TrimSuffix(w.settings.URL, "/") + "/sns/jscode2session?" + query.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", "", errors.New("thirdparty: WeChat: the request cannot be made")
	}
	body, err := ask(w.client, request)
	if err != nil {
		return "", "", fmt.Errorf("thirdparty: WeChat: %w", err)
	}
	var answer struct {
		OpenID  string `json:"openid"`
		UnionID string `json:"unionid"`
		Code    int    `json:"errcode"`
		Message string `json:"errmsg"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return "", "", fmt.Errorf("thirdparty: WeChat: reading the answer: %w", err)
	}
	switch answer.Code {
	case 0:
	case weChatInvalidCode, weChatUsedCode, weChatRiskyUser:
		return "", "", fmt.Errorf("%w: WeChat %d %.100q", ErrCode, answer.Code, answer.Message)
	default:
		return "", "", fmt.Errorf("thirdparty: WeChat answers %d %.100q", answer.Code, answer.Message)
	}
	if answer.OpenID == "" {
		return "", "", errors.New("thirdparty: WeChat names nobody")
	}
	return answer.OpenID, answer.UnionID, nil
}
