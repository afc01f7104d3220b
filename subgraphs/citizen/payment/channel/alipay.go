package channel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// alipay speaks the gateway of Alipay's open platform: forms signed by RSA2,
// answers whose inner JSON is signed byte by byte.
type alipay struct {
	Settings
	http *http.Client
}

// AlipayURL is the address of the gateway.
const AlipayURL = "https://openapi.alipay.com/gateway.do"

// NewAlipay makes the channel of an account.
func NewAlipay(s Settings) (Channel, error) {
	if err := s.check(Alipay); err != nil {
		return nil, err
	}
	return &alipay{s, s.client()}, nil
}

// AlipayAnswer is what an answer may hold.
type AlipayAnswer struct {
	Code         string `json:"code"`
	Message      string `json:"msg"`
	SubCode      string `json:"sub_code,omitempty"`
	OutTradeNo   string `json:"out_trade_no,omitempty"`
	TradeNo      string `json:"trade_no,omitempty"`
	SellerID     string `json:"seller_id,omitempty"`
	TradeStatus  string `json:"trade_status,omitempty"`
	TotalAmount  string `json:"total_amount,omitempty"`
	SendPayDate  string `json:"send_pay_date,omitempty"`
	RefundNo     string `json:"out_request_no,omitempty"`
	RefundAmount string `json:"refund_amount,omitempty"`
	RefundStatus string `json:"refund_status,omitempty"`
	Bill         string `json:"bill,omitempty"`
}

func (a *alipay) Merchant() string { return a.Settings.Merchant }

// signed is a request's form with its signature.
func (a *alipay) signed(method string, content any) (url.Values, error) {
	text, err := json.Marshal(content)
	if err != nil {
		return nil, fmt.Errorf("channel: Alipay: %w", err)
	}
	form := url.Values{"app_id": {a.App}, "method": {method}, "format": {"JSON"}, "charset": {"utf-8"}, "sign_type": {"RSA2"}, "version": {"1.0"},
		"timestamp": {a.Now().In(Beijing).Format(time.DateTime)}, "notify_url": {a.NotifyURL}, "biz_content": {string(text)}}
	signature, err := SignRSA(a.Key, []byte(Joined(form, "sign")))
	form.Set("sign", signature)
	return form, err
}

// call asks one method. missing says that there is no such trade.
func (a *alipay) call(ctx context.Context, method string, content any) (answer AlipayAnswer, missing bool, err error) {
	form, err := a.signed(method, content)
	if err != nil {
		return answer, false, err
	}
	response, text, err := exchange(ctx, a.http, http.MethodPost, a.URL+"?charset=utf-8", http.Header{"Content-Type": {"application/x-www-form-urlencoded;charset=utf-8"}}, []byte(form.Encode()))
	if err != nil {
		return answer, false, err
	}
	if response.StatusCode != http.StatusOK {
		return answer, false, fmt.Errorf("channel: Alipay answers %d", response.StatusCode)
	}
	var whole map[string]json.RawMessage
	var signature string
	inner := json.RawMessage(nil)
	if json.Unmarshal(text, &whole) == nil {
		inner = whole[strings.ReplaceAll(method, ".", "_")+"_response"]
		_ = json.Unmarshal(whole["sign"], &signature)
	}
	if err := VerifyRSA(a.Public, inner, signature); err != nil {
		return answer, false, err
	}
	if err := json.Unmarshal(inner, &answer); err != nil {
		return answer, false, fmt.Errorf("channel: Alipay: reading the answer: %w", err)
	}
	switch {
	case answer.Code == "10000":
		return answer, false, nil
	case answer.SubCode == "ACQ.TRADE_NOT_EXIST":
		return answer, true, nil
	case answer.Code == "40004" && answer.SubCode != "ACQ.SYSTEM_ERROR":
		return answer, false, &Refusal{answer.SubCode, answer.Message}
	}
	return answer, false, fmt.Errorf("channel: Alipay answers %.16q %.64q", answer.Code, answer.SubCode)
}

func (a *alipay) Prepay(ctx context.Context, p Payment) (Invocation, error) {
	answer, missing, err := a.call(ctx, "alipay.trade.create", map[string]any{"out_trade_no": p.OutTradeNo, "total_amount": Yuan(p.Fen), "subject": p.Subject,
		"seller_id": a.Settings.Merchant, "time_expire": p.ExpiresAt.In(Beijing).Format(time.DateTime)})
	if err == nil && missing {
		err = errors.New("channel: Alipay made no trade")
	}
	return Invocation{"tradeNO": answer.TradeNo}, err
}

func (t AlipayAnswer) trade() (Trade, error) {
	fen, err := Fen(t.TotalAmount)
	told := Trade{OutTradeNo: t.OutTradeNo, TradeNo: t.TradeNo, Merchant: t.SellerID, Fen: fen, State: NotPaid}
	switch t.TradeStatus {
	case "TRADE_SUCCESS", "TRADE_FINISHED":
		told.State = Succeeded
	case "TRADE_CLOSED":
		told.State = Closed
	}
	told.PaidAt, _ = time.ParseInLocation(time.DateTime, t.SendPayDate, Beijing)
	return told, err
}

func (a *alipay) Query(ctx context.Context, outTradeNo string) (Trade, error) {
	answer, missing, err := a.call(ctx, "alipay.trade.query", map[string]any{"out_trade_no": outTradeNo})
	switch {
	case err != nil:
		return Trade{}, err
	case missing:
		return Trade{OutTradeNo: outTradeNo, State: NotFound}, nil
	case answer.OutTradeNo != outTradeNo:
		return Trade{}, errors.New("channel: Alipay tells of another trade")
	}
	return answer.trade()
}

func (a *alipay) Close(ctx context.Context, outTradeNo string) (Trade, error) {
	_, missing, err := a.call(ctx, "alipay.trade.close", map[string]any{"out_trade_no": outTradeNo})
	var refused *Refusal
	switch {
	case missing:
		return Trade{OutTradeNo: outTradeNo, State: NotFound}, nil
	case err == nil || errors.As(err, &refused):
		return a.Query(ctx, outTradeNo)
	}
	return Trade{}, err
}

func (a *alipay) Refund(ctx context.Context, r Return) (Returned, error) {
	_, missing, err := a.call(ctx, "alipay.trade.refund", map[string]any{"out_trade_no": r.OutTradeNo, "out_request_no": r.RefundNo, "refund_amount": Yuan(r.Fen), "refund_reason": r.Reason})
	switch {
	case err != nil:
		return Returned{}, err
	case missing:
		return Returned{}, &Refusal{"ACQ.TRADE_NOT_EXIST", ""}
	}
	return Returned{RefundNo: r.RefundNo, Fen: r.Fen, State: Succeeded}, nil
}

func (a *alipay) QueryRefund(ctx context.Context, r Return) (Returned, error) {
	answer, missing, err := a.call(ctx, "alipay.trade.fastpay.refund.query", map[string]any{"out_trade_no": r.OutTradeNo, "out_request_no": r.RefundNo})
	if err != nil {
		return Returned{}, err
	}
	if missing || answer.RefundStatus != "REFUND_SUCCESS" {
		return Returned{RefundNo: r.RefundNo, State: NotFound}, nil
	}
	fen, err := Fen(answer.RefundAmount)
	return Returned{RefundNo: r.RefundNo, Fen: fen, State: Succeeded}, err
}

func (a *alipay) Notice(_ http.Header, body []byte) (Notice, error) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return Notice{}, ErrSignature
	}
	if err := VerifyRSA(a.Public, []byte(Joined(form, "sign", "sign_type")), form.Get("sign")); err != nil {
		return Notice{}, err
	}
	trade, err := AlipayAnswer{OutTradeNo: form.Get("out_trade_no"), TradeNo: form.Get("trade_no"), SellerID: form.Get("seller_id"), TradeStatus: form.Get("trade_status"),
		TotalAmount: form.Get("total_amount"), SendPayDate: form.Get("gmt_payment")}.trade()
	if err != nil || form.Get("app_id") != a.App || form.Get("notify_id") == "" {
		return Notice{}, ErrSignature
	}
	return Notice{form.Get("notify_id"), trade}, nil
}

func (a *alipay) Acknowledge(w http.ResponseWriter, taken bool) {
	_, _ = w.Write([]byte(map[bool]string{true: "success", false: "failure"}[taken]))
}

func (a *alipay) Bill(ctx context.Context, day time.Time) ([]Line, error) {
	answer, missing, err := a.call(ctx, "alipay.data.dataservice.bill.downloadurl.query", map[string]any{"bill_type": "trade", "bill_date": day.In(Beijing).Format(time.DateOnly)})
	if err != nil || missing {
		return nil, err
	}
	return ReadBill(answer.Bill)
}
