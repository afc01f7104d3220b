package channel

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// unionPay speaks UnionPay's interface 5.1.0: forms both ways, signed by RSA over
// the hexadecimal SHA-256 of all parameters.
type unionPay struct {
	Settings
	http *http.Client
}

// UnionPayURL is the address of the interface.
const UnionPayURL = "https://gateway.95516.com"

// NewUnionPay makes the channel of an account.
func NewUnionPay(s Settings) (Channel, error) {
	if err := s.check(UnionPay); err != nil {
		return nil, err
	}
	return &unionPay{s, s.client()}, nil
}

// UnionPayMessage is what a form's signature covers.
func UnionPayMessage(form url.Values) []byte {
	sum := sha256.Sum256([]byte(Joined(form, "signature")))
	return []byte(hex.EncodeToString(sum[:]))
}

// UnionPayTime is how UnionPay writes a time of Beijing.
const UnionPayTime = "20060102150405"

func (u *unionPay) Merchant() string { return u.Settings.Merchant }

// call sends a signed form and gives the signed answer. missing: respCode 34, no such trade.
func (u *unionPay) call(ctx context.Context, path string, form url.Values) (answer url.Values, missing bool, err error) {
	for name, value := range map[string]string{"version": "5.1.0", "encoding": "UTF-8", "signMethod": "01", "certId": u.Serial, "accessType": "0", "channelType": "08",
		"bizType": "000201", "merId": u.Settings.Merchant, "txnTime": u.Now().In(Beijing).Format(UnionPayTime), "currencyCode": "156"} {
		form.Set(name, value)
	}
	signature, err := SignRSA(u.Key, UnionPayMessage(form))
	if err != nil {
		return nil, false, err
	}
	form.Set("signature", signature)
	response, text, err := exchange(ctx, u.http, http.MethodPost, u.URL+path, http.Header{"Content-Type": {"application/x-www-form-urlencoded;charset=UTF-8"}}, []byte(form.Encode()))
	if err != nil {
		return nil, false, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, false, fmt.Errorf("channel: UnionPay answers %d", response.StatusCode)
	}
	if answer, err = u.verified(text); err != nil {
		return nil, false, err
	}
	switch code := answer.Get("respCode"); code {
	case "00":
		return answer, false, nil
	case "34":
		return answer, true, nil
	case "03", "04", "05", "06": // it does not know itself yet
		return nil, false, fmt.Errorf("channel: UnionPay answers %.8q", code)
	default:
		return nil, false, &Refusal{code, answer.Get("respMsg")}
	}
}

func (u *unionPay) verified(body []byte) (url.Values, error) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, ErrSignature
	}
	return form, VerifyRSA(u.Public, UnionPayMessage(form), form.Get("signature"))
}

func (u *unionPay) Prepay(ctx context.Context, p Payment) (Invocation, error) {
	answer, _, err := u.call(ctx, "/gateway/api/appTransReq.do", url.Values{"txnType": {"01"}, "txnSubType": {"01"}, "orderId": {p.OutTradeNo}, "txnAmt": {strconv.FormatInt(p.Fen, 10)},
		"orderDesc": {p.Subject}, "payTimeout": {p.ExpiresAt.In(Beijing).Format(UnionPayTime)}, "backUrl": {u.NotifyURL}})
	if err == nil && answer.Get("tn") == "" {
		err = errors.New("channel: UnionPay gave no tn")
	}
	return Invocation{"tn": answer.Get("tn"), "mode": "00"}, err
}

func unionTrade(form url.Values) (Trade, error) {
	fen, err := strconv.ParseInt(form.Get("txnAmt"), 10, 64)
	if err != nil {
		return Trade{}, fmt.Errorf("channel: UnionPay: the amount: %w", err)
	}
	told := Trade{OutTradeNo: form.Get("orderId"), TradeNo: form.Get("queryId"), Merchant: form.Get("merId"), Fen: fen, State: NotPaid}
	switch form.Get("origRespCode") {
	case "00":
		told.State = Succeeded
	case "12": // it ran out
		told.State = Closed
	case "01", "02", "30", "51":
		told.State = Failed
	}
	told.PaidAt, _ = time.ParseInLocation(UnionPayTime, form.Get("traceTime"), Beijing)
	return told, nil
}

func (u *unionPay) Query(ctx context.Context, outTradeNo string) (Trade, error) {
	answer, missing, err := u.call(ctx, "/gateway/api/queryTrans.do", url.Values{"txnType": {"00"}, "txnSubType": {"00"}, "orderId": {outTradeNo}})
	switch {
	case err != nil:
		return Trade{}, err
	case missing:
		return Trade{OutTradeNo: outTradeNo, State: NotFound}, nil
	case answer.Get("orderId") != outTradeNo:
		return Trade{}, errors.New("channel: UnionPay tells of another trade")
	}
	return unionTrade(answer)
}

// Close asks how the trade stands: UnionPay has no closing, a trade ends by its
// payTimeout. Until then the answer may be NotPaid.
func (u *unionPay) Close(ctx context.Context, outTradeNo string) (Trade, error) {
	return u.Query(ctx, outTradeNo)
}

func (u *unionPay) Refund(ctx context.Context, r Return) (Returned, error) {
	_, missing, err := u.call(ctx, "/gateway/api/backTransReq.do", url.Values{"txnType": {"04"}, "txnSubType": {"00"}, "orderId": {r.RefundNo}, "origOrderId": {r.OutTradeNo},
		"txnAmt": {strconv.FormatInt(r.Fen, 10)}, "backUrl": {u.NotifyURL}})
	if err == nil && missing {
		err = &Refusal{"34", ""}
	}
	return Returned{RefundNo: r.RefundNo, Fen: r.Fen, State: Processing}, err // queryTrans tells the end
}

func (u *unionPay) QueryRefund(ctx context.Context, r Return) (Returned, error) {
	answer, missing, err := u.call(ctx, "/gateway/api/queryTrans.do", url.Values{"txnType": {"00"}, "txnSubType": {"04"}, "orderId": {r.RefundNo}})
	if err != nil {
		return Returned{}, err
	}
	if missing {
		return Returned{RefundNo: r.RefundNo, State: NotFound}, nil
	}
	trade, err := unionTrade(answer)
	told := Returned{RefundNo: r.RefundNo, Fen: trade.Fen, State: trade.State}
	if trade.State == NotPaid {
		told.State = Processing
	}
	return told, err
}

func (u *unionPay) Notice(_ http.Header, body []byte) (Notice, error) {
	form, err := u.verified(body)
	if err != nil {
		return Notice{}, err
	}
	form.Set("origRespCode", form.Get("respCode"))
	trade, err := unionTrade(form)
	return Notice{"01" + trade.TradeNo + form.Get("respCode"), trade}, err
}

func (u *unionPay) Acknowledge(w http.ResponseWriter, taken bool) {
	if !taken {
		w.WriteHeader(http.StatusInternalServerError)
	}
}

func (u *unionPay) Bill(ctx context.Context, day time.Time) ([]Line, error) {
	answer, missing, err := u.call(ctx, "/gateway/api/fileTransfer.do", url.Values{"txnType": {"76"}, "txnSubType": {"01"}, "fileType": {"00"}, "settleDate": {day.In(Beijing).Format("0102")},
		"billDate": {day.In(Beijing).Format(time.DateOnly)}})
	if err != nil || missing {
		return nil, err
	}
	return ReadBill(answer.Get("fileContent"))
}
