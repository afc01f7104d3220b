package thirdparty

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// accessToken is the application's own token, kept while it counts.
type accessToken struct {
	mu    sync.Mutex
	text  string
	until time.Time
}

// tokenMargin is how long before its end a token is not used any more.
const tokenMargin = 5 * time.Minute

// Certify implements Certifier by the check of real names of the city services:
// POST /intp/realname/checkrealnameinfo, which compares with what the user gave
// to WeChat Pay. It knows residents' identity cards alone.
func (w *weChat) Certify(ctx context.Context, codes Codes, who Person) (Certificate, error) {
	if codes.Consent == "" {
		return Certificate{}, fmt.Errorf("%w: WeChat wants the code of its page of consent", ErrCode)
	}
	openID, _, err := w.session(ctx, codes.SignIn)
	if err != nil {
		return Certificate{}, err
	}
	token, err := w.application(ctx)
	if err != nil {
		return Certificate{}, err
	}
	var answer struct {
		weChatRefusal
		OpenID   string `json:"verify_openid"`
		RealName string `json:"verify_real_name"`
	}
	err = w.post(ctx, "/intp/realname/checkrealnameinfo?access_token="+url.QueryEscape(token), map[string]string{
		"openid": openID, "real_name": who.Name, "cred_id": who.Number, "cred_type": "1", "code": codes.Consent}, &answer)
	if err == nil {
		err = answer.err()
	}
	if err != nil {
		return Certificate{}, err
	}
	return Certificate{Certified: answer.OpenID == "V_OP_NM_MA" && answer.RealName == "V_NM_ID_MA", Simulated: w.settings.Simulated}, nil
}

// weChatRefusal is what each answer may hold.
type weChatRefusal struct {
	Code    int    `json:"errcode"`
	Message string `json:"errmsg"`
}

func (r weChatRefusal) err() error {
	switch r.Code {
	case 0:
		return nil
	case weChatInvalidCode, weChatUsedCode, weChatRiskyUser:
		return fmt.Errorf("%w: WeChat %d %.100q", ErrCode, r.Code, r.Message)
	}
	return fmt.Errorf("thirdparty: WeChat answers %d %.100q", r.Code, r.Message)
}

// application gives the application's token: POST /cgi-bin/stable_token.
func (w *weChat) application(ctx context.Context) (string, error) {
	w.token.mu.Lock()
	defer w.token.mu.Unlock()
	if time.Now().Before(w.token.until) {
		return w.token.text, nil
	}
	var answer struct {
		weChatRefusal
		Token   string `json:"access_token"`
		Expires int    `json:"expires_in"` // seconds
	}
	err := w.post(ctx, "/cgi-bin/stable_token", map[string]string{"grant_type": "client_credential", "appid": w.settings.AppID, "secret": w.settings.Secret}, &answer)
	if err == nil {
		err = answer.err()
	}
	if err == nil && answer.Token == "" {
		err = errors.New("thirdparty: WeChat gives no token")
	}
	if err != nil {
		return "", err
	}
	w.token.text, w.token.until = answer.Token, time.Now().Add(time.Duration(answer.Expires)*time.Second-tokenMargin)
	return answer.Token, nil
}

func (w *weChat) post(ctx context.Context, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("thirdparty: WeChat: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(w.settings.URL, "/")+path, bytes.NewReader(body))
	if err != nil {
		return errors.New("thirdparty: WeChat: the request cannot be made")
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := ask(w.client, request)
	if err != nil {
		return fmt.Errorf("thirdparty: WeChat: %w", err)
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("thirdparty: WeChat: reading the answer: %w", err)
	}
	return nil
}
