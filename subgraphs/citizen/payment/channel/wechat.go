package channel

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// weChat speaks WeChat Pay's interface APIv3: JSON, requests and answers signed
// by RSA with SHA-256, notices sealed by AES-256-GCM besides.
type weChat struct {
	Settings
	http *http.Client
}

// WeChatURL is the address of the interface.
const WeChatURL = "https://api.mch.weixin.qq.com"

// NewWeChat makes the channel of an account.
func NewWeChat(s Settings) (Channel, error) {
	if err := s.check(WeChat); err != nil {
		return nil, err
	}
	if len(s.Secret) != 32 {
		return nil, errors.New("channel: WeChat's APIv3 key has 32 bytes")
	}
	return &weChat{s, s.client()}, nil
}

// WeChatTrade is a trade as WeChat tells of it.
type WeChatTrade struct {
	Merchant      string `json:"mchid"`
	App           string `json:"appid"`
	OutTradeNo    string `json:"out_trade_no"`
	TransactionID string `json:"transaction_id,omitempty"`
	State         string `json:"trade_state"`
	SuccessTime   string `json:"success_time,omitempty"`
	Amount        struct {
		Total    int64  `json:"total"`
		Currency string `json:"currency"`
	} `json:"amount"`
}

func (t WeChatTrade) trade() Trade {
	told := Trade{OutTradeNo: t.OutTradeNo, TradeNo: t.TransactionID, Merchant: t.Merchant, Fen: t.Amount.Total}
	switch t.State {
	case "SUCCESS", "REFUND":
		told.State = Succeeded
	case "CLOSED", "REVOKED":
		told.State = Closed
	case "PAYERROR":
		told.State = Failed
	default:
		told.State = NotPaid
	}
	told.PaidAt, _ = time.Parse(time.RFC3339, t.SuccessTime)
	return told
}

// WeChatRefund is a refund as WeChat tells of it.
type WeChatRefund struct {
	RefundNo string `json:"out_refund_no"`
	Status   string `json:"status"`
	Amount   struct {
		Refund   int64  `json:"refund"`
		Total    int64  `json:"total"`
		Currency string `json:"currency"`
	} `json:"amount"`
}

// WeChatResource is what a notice seals.
type WeChatResource struct {
	Algorithm  string `json:"algorithm"`
	Ciphertext string `json:"ciphertext"`
	Nonce      string `json:"nonce"`
	Associated string `json:"associated_data"`
}

// WeChatNotice is a notice's body.
type WeChatNotice struct {
	ID        string         `json:"id"`
	EventType string         `json:"event_type"`
	Resource  WeChatResource `json:"resource"`
}

func (w *weChat) Merchant() string { return w.Settings.Merchant }

// WeChatMessage is what a request's signature covers.
func WeChatMessage(method, path, timestamp, nonce string, body []byte) []byte {
	return []byte(strings.Join([]string{method, path, timestamp, nonce, string(body)}, "\n") + "\n")
}

// call sends a signed request, checks the answer's signature and decodes it. missing
// says that what was asked for is not there.
func (w *weChat) call(ctx context.Context, method, path string, in, out any) (missing bool, err error) {
	var body []byte
	if in != nil {
		if body, err = json.Marshal(in); err != nil {
			return false, fmt.Errorf("channel: WeChat: %w", err)
		}
	}
	stamp, once := strconv.FormatInt(w.Now().Unix(), 10), nonce()
	signature, err := SignRSA(w.Key, WeChatMessage(method, path, stamp, once, body))
	if err != nil {
		return false, err
	}
	header := http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}, "Authorization": {fmt.Sprintf(
		`WECHATPAY2-SHA256-RSA2048 mchid="%s",nonce_str="%s",signature="%s",timestamp="%s",serial_no="%s"`, w.Settings.Merchant, once, signature, stamp, w.Serial)}}
	response, text, err := exchange(ctx, w.http, method, w.URL+path, header, body)
	if err != nil {
		return false, err
	}
	if err := w.verify(response.Header, text); err != nil {
		return false, err
	}
	switch {
	case response.StatusCode == http.StatusNotFound:
		return true, nil
	case response.StatusCode >= 500 || response.StatusCode == http.StatusTooManyRequests:
		return false, fmt.Errorf("channel: WeChat answers %d", response.StatusCode)
	case response.StatusCode >= 300:
		refused := struct{ Code, Message string }{}
		_ = json.Unmarshal(text, &refused)
		return false, &Refusal{refused.Code, refused.Message}
	case out == nil || response.StatusCode == http.StatusNoContent:
		return false, nil
	}
	if err := json.Unmarshal(text, out); err != nil {
		return false, fmt.Errorf("channel: WeChat: reading the answer: %w", err)
	}
	return false, nil
}

func (w *weChat) verify(header http.Header, body []byte) error {
	stamp := header.Get("Wechatpay-Timestamp")
	if !fresh(w.Now(), stamp) {
		return ErrSignature
	}
	return VerifyRSA(w.Public, []byte(stamp+"\n"+header.Get("Wechatpay-Nonce")+"\n"+string(body)+"\n"), header.Get("Wechatpay-Signature"))
}

func (w *weChat) Prepay(ctx context.Context, p Payment) (Invocation, error) {
	var answer struct {
		PrepayID string `json:"prepay_id"`
	}
	if _, err := w.call(ctx, http.MethodPost, "/v3/pay/transactions/app", map[string]any{
		"appid": w.App, "mchid": w.Settings.Merchant, "description": p.Subject, "out_trade_no": p.OutTradeNo, "time_expire": p.ExpiresAt.In(Beijing).Format(time.RFC3339),
		"notify_url": w.NotifyURL, "amount": map[string]any{"total": p.Fen, "currency": "CNY"},
	}, &answer); err != nil {
		return nil, err
	}
	if answer.PrepayID == "" {
		return nil, errors.New("channel: WeChat gave no prepay_id")
	}
	stamp, once := strconv.FormatInt(w.Now().Unix(), 10), nonce()
	signature, err := SignRSA(w.Key, []byte(w.App+"\n"+stamp+"\n"+once+"\n"+answer.PrepayID+"\n"))
	return Invocation{"appid": w.App, "partnerid": w.Settings.Merchant, "prepayid": answer.PrepayID, "package": "Sign=WXPay", "noncestr": once, "timestamp": stamp, "sign": signature}, err
}

func (w *weChat) Query(ctx context.Context, outTradeNo string) (Trade, error) {
	var answer WeChatTrade
	missing, err := w.call(ctx, http.MethodGet, "/v3/pay/transactions/out-trade-no/"+url.PathEscape(outTradeNo)+"?mchid="+url.QueryEscape(w.Settings.Merchant), nil, &answer)
	switch {
	case err != nil:
		return Trade{}, err
	case missing:
		return Trade{OutTradeNo: outTradeNo, State: NotFound}, nil
	case answer.OutTradeNo != outTradeNo:
		return Trade{}, errors.New("channel: WeChat tells of another trade")
	}
	return answer.trade(), nil
}

func (w *weChat) Close(ctx context.Context, outTradeNo string) (Trade, error) {
	missing, err := w.call(ctx, http.MethodPost, "/v3/pay/transactions/out-trade-no/"+url.PathEscape(outTradeNo)+"/close", map[string]any{"mchid": w.Settings.Merchant}, nil)
	var refused *Refusal
	switch {
	case missing:
		return Trade{OutTradeNo: outTradeNo, State: NotFound}, nil
	case err == nil || errors.As(err, &refused): // it is closed, or ended otherwise
		return w.Query(ctx, outTradeNo)
	}
	return Trade{}, err
}

func (r WeChatRefund) returned() Returned {
	return Returned{RefundNo: r.RefundNo, Fen: r.Amount.Refund, State: map[string]TradeState{"SUCCESS": Succeeded, "CLOSED": Failed}[r.Status]}.settled()
}

// settled is what a channel says in no word that we know: not at its end yet.
func (r Returned) settled() Returned {
	if r.State == "" {
		r.State = Processing
	}
	return r
}

func (w *weChat) Refund(ctx context.Context, r Return) (Returned, error) {
	var answer WeChatRefund
	missing, err := w.call(ctx, http.MethodPost, "/v3/refund/domestic/refunds", map[string]any{"out_trade_no": r.OutTradeNo, "out_refund_no": r.RefundNo, "reason": r.Reason,
		"amount": map[string]any{"refund": r.Fen, "total": r.TotalFen, "currency": "CNY"}}, &answer)
	if err == nil && missing {
		err = &Refusal{"RESOURCE_NOT_EXISTS", ""}
	}
	return answer.returned(), err
}

func (w *weChat) QueryRefund(ctx context.Context, r Return) (Returned, error) {
	var answer WeChatRefund
	missing, err := w.call(ctx, http.MethodGet, "/v3/refund/domestic/refunds/"+url.PathEscape(r.RefundNo), nil, &answer)
	if err == nil && missing {
		return Returned{RefundNo: r.RefundNo, State: NotFound}, nil
	}
	return answer.returned(), err
}

func (w *weChat) Notice(header http.Header, body []byte) (Notice, error) {
	var n WeChatNotice
	if err := w.verify(header, body); err != nil {
		return Notice{}, err
	}
	if err := json.Unmarshal(body, &n); err != nil {
		return Notice{}, fmt.Errorf("channel: WeChat: a notice: %w", err)
	}
	plain, err := OpenWeChat(w.Secret, n.Resource)
	var t WeChatTrade
	if err != nil || json.Unmarshal(plain, &t) != nil || n.ID == "" {
		return Notice{}, ErrSignature
	}
	return Notice{n.ID, t.trade()}, nil
}

// SealWeChat seals what a notice tells, as WeChat does.
func SealWeChat(secret, plain []byte) (WeChatResource, error) {
	aead, err := weChatAEAD(secret)
	if err != nil {
		return WeChatResource{}, err
	}
	r := WeChatResource{Algorithm: "AEAD_AES_256_GCM", Nonce: nonce()[:12], Associated: "transaction"}
	r.Ciphertext = base64.StdEncoding.EncodeToString(aead.Seal(nil, []byte(r.Nonce), plain, []byte(r.Associated)))
	return r, nil
}

// OpenWeChat opens what SealWeChat sealed.
func OpenWeChat(secret []byte, r WeChatResource) ([]byte, error) {
	aead, err := weChatAEAD(secret)
	if err != nil {
		return nil, err
	}
	sealed, err := base64.StdEncoding.DecodeString(r.Ciphertext)
	if err != nil || len(r.Nonce) != aead.NonceSize() {
		return nil, ErrSignature
	}
	return aead.Open(nil, []byte(r.Nonce), sealed, []byte(r.Associated))
}

func weChatAEAD(secret []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, fmt.Errorf("channel: WeChat: %w", err)
	}
	return cipher.NewGCM(block)
}

func (w *weChat) Acknowledge(out http.ResponseWriter, taken bool) {
	if !taken {
		out.Header().Set("Content-Type", "application/json")
		out.WriteHeader(http.StatusInternalServerError)
		_, _ = out.Write([]byte(`{"code":"FAIL","message":"未能处理"}`))
		return
	}
	out.WriteHeader(http.StatusNoContent)
}

func (w *weChat) Bill(ctx context.Context, day time.Time) ([]Line, error) {
	var answer struct {
		Content string `json:"content"`
	}
	missing, err := w.call(ctx, http.MethodGet, "/v3/bill/tradebill?bill_date="+day.In(Beijing).Format(time.DateOnly), nil, &answer)
	if err != nil || missing {
		return nil, err
	}
	return ReadBill(answer.Content)
}

// ReadBill reads a bill: out_trade_no, trade_no, refund_no, amount and fee in yuan, time.
func ReadBill(text string) ([]Line, error) {
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("channel: reading a bill: %w", err)
	}
	lines := make([]Line, 0, len(rows))
	for _, row := range rows {
		if len(row) != 6 {
			return nil, errors.New("channel: a bill's line has other columns")
		}
		line := Line{OutTradeNo: row[0], TradeNo: row[1], RefundNo: row[2]}
		var failed [3]error
		line.Fen, failed[0] = Fen(row[3])
		line.FeeFen, failed[1] = Fen(row[4])
		line.At, failed[2] = time.Parse(time.RFC3339, row[5])
		if err := errors.Join(failed[:]...); err != nil {
			return nil, err
		}
		lines = append(lines, line)
	}
	return lines, nil
}
