package simulator

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/citizencloud/citizencloud/subgraphs/citizen/payment/channel"
)

func encoded(value any) []byte {
	text, _ := json.Marshal(value) // texts and numbers always marshal
	return text
}

// --- WeChat

var authorization = regexp.MustCompile(`^WECHATPAY2-SHA256-RSA2048 mchid="` + account + `",nonce_str="(\w+)",signature="([^"]+)",timestamp="(\d+)",serial_no="` + serial + `"$`)

// weChat answers /v3/…, signed.
func (s *Simulator) weChat(ctx context.Context, r *http.Request, body []byte) reply {
	parts := authorization.FindStringSubmatch(r.Header.Get("Authorization"))
	if parts == nil || channel.VerifyRSA(&s.ours.PublicKey, channel.WeChatMessage(r.Method, r.URL.RequestURI(), parts[3], parts[1], body), parts[2]) != nil {
		return s.weChatSigned(http.StatusUnauthorized, map[string]string{"code": "SIGN_ERROR", "message": "签名错误"})
	}
	var in struct {
		OutTradeNo string    `json:"out_trade_no"`
		RefundNo   string    `json:"out_refund_no"`
		Subject    string    `json:"description"`
		NotifyURL  string    `json:"notify_url"`
		Expires    time.Time `json:"time_expire"`
		Amount     struct{ Total, Refund int64 }
	}
	_ = json.Unmarshal(body, &in)
	book, path := s.Books[channel.WeChat], strings.TrimPrefix(r.URL.Path, "/v3")
	var answer any
	var err error
	switch no, isTrade := strings.CutPrefix(path, "/pay/transactions/out-trade-no/"); {
	case path == "/pay/transactions/app":
		var trade channel.Trade
		trade, err = book.Open(ctx, channel.Payment{OutTradeNo: in.OutTradeNo, Subject: in.Subject, Fen: in.Amount.Total, ExpiresAt: in.Expires}, in.NotifyURL)
		if err == nil && trade.State != channel.NotPaid {
			err = ErrNotReady
		}
		answer = map[string]string{"prepay_id": "wx" + trade.TradeNo}
	case isTrade && strings.HasSuffix(no, "/close"):
		var trade channel.Trade
		if trade, err = book.Close(ctx, strings.TrimSuffix(no, "/close")); err == nil && trade.State != channel.Closed {
			err = ErrNotReady
		}
		if err == nil {
			return s.weChatSigned(http.StatusNoContent, nil)
		}
	case isTrade:
		var trade channel.Trade
		trade, err = book.Query(ctx, no)
		answer = weChatTrade(trade)
	case path == "/refund/domestic/refunds":
		var back channel.Returned
		back, err = book.Refund(ctx, channel.Return{RefundNo: in.RefundNo, OutTradeNo: in.OutTradeNo, Fen: in.Amount.Refund})
		answer = weChatRefund(back)
	case strings.HasPrefix(path, "/refund/domestic/refunds/"):
		var back channel.Returned
		if back, err = book.QueryRefund(ctx, strings.TrimPrefix(path, "/refund/domestic/refunds/")); back.State == channel.NotFound {
			err = ErrNoTrade
		}
		answer = weChatRefund(back)
	case path == "/bill/tradebill":
		var text string
		text, err = book.bill(ctx, r.URL.Query().Get("bill_date"))
		answer = map[string]string{"content": text}
	default:
		err = ErrNoTrade
	}
	switch {
	case err == nil:
		return s.weChatSigned(http.StatusOK, answer)
	case errors.Is(err, ErrNoTrade):
		return s.weChatSigned(http.StatusNotFound, map[string]string{"code": "RESOURCE_NOT_EXISTS"})
	case refused(err):
		return s.weChatSigned(http.StatusBadRequest, map[string]string{"code": "INVALID_REQUEST", "message": err.Error()})
	}
	return s.weChatSigned(http.StatusInternalServerError, map[string]string{"code": "SYSTEM_ERROR"})
}

// refused says whether the error is the book's definite no.
func refused(err error) bool {
	return errors.Is(err, ErrOther) || errors.Is(err, ErrNotPaid) || errors.Is(err, ErrTooMuch) || errors.Is(err, ErrNotReady)
}

func (s *Simulator) weChatSigned(status int, answer any) reply {
	var body []byte
	if answer != nil {
		body = encoded(answer)
	}
	return reply{status, s.weChatHeader(body), body}
}

func (s *Simulator) weChatHeader(body []byte) http.Header {
	stamp := strconv.FormatInt(s.now().Unix(), 10)
	signature, _ := channel.SignRSA(s.theirs, []byte(stamp+"\nsimulated\n"+string(body)+"\n"))
	return http.Header{"Wechatpay-Timestamp": {stamp}, "Wechatpay-Nonce": {"simulated"}, "Wechatpay-Signature": {signature}, "Wechatpay-Serial": {serial}}
}

func weChatTrade(t channel.Trade) channel.WeChatTrade {
	told := channel.WeChatTrade{Merchant: account, App: app, OutTradeNo: t.OutTradeNo, TransactionID: t.TradeNo,
		State: map[channel.TradeState]string{channel.Succeeded: "SUCCESS", channel.Closed: "CLOSED", channel.Failed: "PAYERROR", channel.NotPaid: "NOTPAY"}[t.State]}
	told.Amount.Total, told.Amount.Currency = t.Fen, "CNY"
	if !t.PaidAt.IsZero() {
		told.SuccessTime = t.PaidAt.Format(time.RFC3339)
	}
	return told
}

func weChatRefund(r channel.Returned) channel.WeChatRefund {
	told := channel.WeChatRefund{RefundNo: r.RefundNo, Status: "SUCCESS"}
	told.Amount.Refund = r.Fen
	return told
}

// --- Alipay

// alipay answers POST /gateway.do, the inner JSON signed.
func (s *Simulator) alipay(ctx context.Context, _ *http.Request, body []byte) reply {
	form, err := url.ParseQuery(string(body))
	method := form.Get("method")
	answer := func(inner channel.AlipayAnswer) reply {
		text := encoded(inner)
		signature, _ := channel.SignRSA(s.theirs, text)
		return reply{body: encoded(map[string]any{strings.ReplaceAll(method, ".", "_") + "_response": json.RawMessage(text), "sign": signature})}
	}
	if err != nil || channel.VerifyRSA(&s.ours.PublicKey, []byte(channel.Joined(form, "sign")), form.Get("sign")) != nil || form.Get("app_id") != app {
		return answer(channel.AlipayAnswer{Code: "40002", SubCode: "isv.invalid-signature"})
	}
	var in struct {
		OutTradeNo string `json:"out_trade_no"`
		Total      string `json:"total_amount"`
		Subject    string `json:"subject"`
		Expires    string `json:"time_expire"`
		RefundNo   string `json:"out_request_no"`
		Refund     string `json:"refund_amount"`
		Day        string `json:"bill_date"`
	}
	_ = json.Unmarshal([]byte(form.Get("biz_content")), &in)
	book, told := s.Books[channel.Alipay], channel.AlipayAnswer{}
	var trade channel.Trade
	switch method {
	case "alipay.trade.create":
		fen, _ := channel.Fen(in.Total)
		expires, _ := time.ParseInLocation(time.DateTime, in.Expires, channel.Beijing)
		trade, err = book.Open(ctx, channel.Payment{OutTradeNo: in.OutTradeNo, Subject: in.Subject, Fen: fen, ExpiresAt: expires}, form.Get("notify_url"))
		if err == nil && trade.State != channel.NotPaid {
			err = ErrNotReady
		}
		told = alipayTrade(trade)
	case "alipay.trade.query":
		trade, err = book.Query(ctx, in.OutTradeNo)
		told = alipayTrade(trade)
	case "alipay.trade.close":
		if trade, err = book.Close(ctx, in.OutTradeNo); err == nil && trade.State != channel.Closed {
			err = ErrNotReady
		}
	case "alipay.trade.refund":
		fen, _ := channel.Fen(in.Refund)
		_, err = book.Refund(ctx, channel.Return{RefundNo: in.RefundNo, OutTradeNo: in.OutTradeNo, Fen: fen})
	case "alipay.trade.fastpay.refund.query":
		var back channel.Returned
		if back, err = book.QueryRefund(ctx, in.RefundNo); back.State == channel.Succeeded {
			told.RefundNo, told.RefundStatus, told.RefundAmount = back.RefundNo, "REFUND_SUCCESS", channel.Yuan(back.Fen)
		}
	case "alipay.data.dataservice.bill.downloadurl.query":
		told.Bill, err = book.bill(ctx, in.Day)
	}
	switch {
	case err == nil:
		told.Code, told.Message = "10000", "Success"
	case errors.Is(err, ErrNoTrade):
		told = channel.AlipayAnswer{Code: "40004", SubCode: "ACQ.TRADE_NOT_EXIST"}
	case refused(err):
		told = channel.AlipayAnswer{Code: "40004", SubCode: "ACQ.TRADE_STATUS_ERROR"}
	default:
		told = channel.AlipayAnswer{Code: "40004", SubCode: "ACQ.SYSTEM_ERROR"}
	}
	return answer(told)
}

func alipayTrade(t channel.Trade) channel.AlipayAnswer {
	told := channel.AlipayAnswer{OutTradeNo: t.OutTradeNo, TradeNo: t.TradeNo, SellerID: account, TotalAmount: channel.Yuan(t.Fen),
		TradeStatus: map[channel.TradeState]string{channel.Succeeded: "TRADE_SUCCESS", channel.Closed: "TRADE_CLOSED", channel.Failed: "TRADE_CLOSED", channel.NotPaid: "WAIT_BUYER_PAY"}[t.State]}
	if !t.PaidAt.IsZero() {
		told.SendPayDate = t.PaidAt.In(channel.Beijing).Format(time.DateTime)
	}
	return told
}
