package simulator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/citizencloud/citizencloud/subgraphs/citizen/payment/channel"
)

// --- UnionPay

// unionPay answers /gateway/api/…, a signed form.
func (s *Simulator) unionPay(ctx context.Context, r *http.Request, body []byte) reply {
	form, err := url.ParseQuery(string(body))
	answer := url.Values{"version": {"5.1.0"}, "merId": {account}, "orderId": {form.Get("orderId")}}
	if err != nil || channel.VerifyRSA(&s.ours.PublicKey, channel.UnionPayMessage(form), form.Get("signature")) != nil || form.Get("merId") != account {
		answer.Set("respCode", "11")
		return s.unionSigned(answer)
	}
	fen, _ := strconv.ParseInt(form.Get("txnAmt"), 10, 64)
	book, no := s.Books[channel.UnionPay], form.Get("orderId")
	var trade channel.Trade
	switch strings.TrimPrefix(r.URL.Path, "/gateway/api/") {
	case "appTransReq.do":
		expires, _ := time.ParseInLocation(channel.UnionPayTime, form.Get("payTimeout"), channel.Beijing)
		trade, err = book.Open(ctx, channel.Payment{OutTradeNo: no, Subject: form.Get("orderDesc"), Fen: fen, ExpiresAt: expires}, form.Get("backUrl"))
		if err == nil && trade.State != channel.NotPaid {
			err = ErrNotReady
		}
		answer.Set("tn", trade.TradeNo)
	case "backTransReq.do":
		_, err = book.Refund(ctx, channel.Return{RefundNo: no, OutTradeNo: form.Get("origOrderId"), Fen: fen})
	case "fileTransfer.do":
		var text string
		text, err = book.bill(ctx, form.Get("billDate"))
		answer.Set("fileContent", text)
	case "queryTrans.do":
		if form.Get("txnSubType") != "04" {
			trade, err = book.Query(ctx, no)
			unionTrade(answer, "origRespCode", trade)
			break
		}
		var back channel.Returned
		if back, err = book.QueryRefund(ctx, no); err == nil && back.State == channel.NotFound {
			err = ErrNoTrade
		}
		unionTrade(answer, "origRespCode", channel.Trade{OutTradeNo: no, Fen: back.Fen, State: back.State})
	}
	switch {
	case err == nil:
		answer.Set("respCode", "00")
	case errors.Is(err, ErrNoTrade):
		answer.Set("respCode", "34")
	case refused(err):
		answer.Set("respCode", "36")
	default:
		answer.Set("respCode", "05")
	}
	return s.unionSigned(answer)
}

func unionTrade(answer url.Values, code string, t channel.Trade) {
	answer.Set("orderId", t.OutTradeNo)
	answer.Set("queryId", t.TradeNo)
	answer.Set("txnAmt", strconv.FormatInt(t.Fen, 10))
	answer.Set(code, map[channel.TradeState]string{channel.Succeeded: "00", channel.Closed: "12", channel.Failed: "51", channel.NotPaid: "05"}[t.State])
	if !t.PaidAt.IsZero() {
		answer.Set("traceTime", t.PaidAt.In(channel.Beijing).Format(channel.UnionPayTime))
	}
}

func (s *Simulator) unionSigned(answer url.Values) reply {
	signature, _ := channel.SignRSA(s.theirs, channel.UnionPayMessage(answer))
	answer.Set("signature", signature)
	return reply{body: []byte(answer.Encode())}
}

// --- digital RMB

// digital answers an operating bank's paths, signed by SM2.
func (s *Simulator) digital(ctx context.Context, r *http.Request, body []byte) reply {
	var in channel.DigitalMessage
	if channel.VerifyDigital(&s.oursSM.PublicKey, s.now(), r.Header, body) != nil || json.Unmarshal(body, &in) != nil || in.Wallet != account {
		return s.digitalSigned(channel.DigitalMessage{Code: "2001"})
	}
	book, told := s.Books[channel.DigitalRMB], channel.DigitalMessage{}
	var trade channel.Trade
	var back channel.Returned
	var err error
	switch r.URL.Path {
	case "/order/create":
		expires, _ := time.Parse(time.RFC3339, in.Expires)
		trade, err = book.Open(ctx, channel.Payment{OutTradeNo: in.OrderNo, Subject: in.Subject, Fen: in.Fen, ExpiresAt: expires}, in.Notify)
		if err == nil && trade.State != channel.NotPaid {
			err = ErrNotReady
		}
		told = digitalTrade(trade)
		told.Token = "dcep" + trade.TradeNo
	case "/order/query":
		trade, err = book.Query(ctx, in.OrderNo)
		told = digitalTrade(trade)
	case "/order/close":
		trade, err = book.Close(ctx, in.OrderNo)
		told = digitalTrade(trade)
	case "/refund/create":
		back, err = book.Refund(ctx, channel.Return{RefundNo: in.RefundNo, OutTradeNo: in.OrderNo, Fen: in.Fen})
		told.RefundNo, told.Fen, told.Status = back.RefundNo, back.Fen, string(back.State)
	case "/refund/query":
		if back, err = book.QueryRefund(ctx, in.RefundNo); err == nil && back.State == channel.NotFound {
			err = ErrNoTrade
		}
		told.RefundNo, told.Fen, told.Status = back.RefundNo, back.Fen, string(back.State)
	case "/bill":
		told.Bill, err = book.bill(ctx, in.Day)
	}
	switch {
	case err == nil:
		told.Code = "0000"
	case errors.Is(err, ErrNoTrade):
		told = channel.DigitalMessage{Code: "1404"}
	case refused(err):
		told = channel.DigitalMessage{Code: "2009"}
	default:
		told = channel.DigitalMessage{Code: "9999"}
	}
	return s.digitalSigned(told)
}

func digitalTrade(t channel.Trade) channel.DigitalMessage {
	told := channel.DigitalMessage{Wallet: account, OrderNo: t.OutTradeNo, Serial: t.TradeNo, Fen: t.Fen, Status: string(t.State)}
	if !t.PaidAt.IsZero() {
		told.PaidAt = t.PaidAt.Format(time.RFC3339)
	}
	return told
}

func (s *Simulator) digitalSigned(m channel.DigitalMessage) reply {
	body := encoded(m)
	header, _ := channel.SignDigital(s.theirsSM, s.now(), body)
	return reply{header: header, body: body}
}

// tell is a channel's notice of a trade, in its own shape and signed. Told
// again it has the same number.
func (s *Simulator) tell(name channel.Name, t channel.Trade) (Telling, error) {
	id := "notice-" + t.TradeNo
	switch name {
	case channel.WeChat:
		sealed, err := channel.SealWeChat(s.secret, encoded(weChatTrade(t)))
		body := encoded(channel.WeChatNotice{ID: id, EventType: "TRANSACTION.SUCCESS", Resource: sealed})
		return Telling{name, s.weChatHeader(body), body}, err
	case channel.Alipay:
		a := alipayTrade(t)
		form := url.Values{"notify_id": {id}, "notify_type": {"trade_status_sync"}, "app_id": {app}, "out_trade_no": {a.OutTradeNo}, "trade_no": {a.TradeNo}, "seller_id": {a.SellerID},
			"trade_status": {a.TradeStatus}, "total_amount": {a.TotalAmount}, "gmt_payment": {a.SendPayDate}, "sign_type": {"RSA2"}}
		signature, err := channel.SignRSA(s.theirs, []byte(channel.Joined(form, "sign", "sign_type")))
		form.Set("sign", signature)
		return Telling{name, http.Header{}, []byte(form.Encode())}, err
	case channel.UnionPay:
		form := url.Values{"version": {"5.1.0"}, "merId": {account}}
		unionTrade(form, "respCode", t)
		return Telling{name, http.Header{}, s.unionSigned(form).body}, nil
	case channel.DigitalRMB:
		m := digitalTrade(t)
		m.NoticeID = id
		r := s.digitalSigned(m)
		return Telling{name, r.header, r.body}, nil
	}
	return Telling{}, fmt.Errorf("simulator: no channel %s", name)
}
