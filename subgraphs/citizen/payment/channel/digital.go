package channel

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/emmansun/gmsm/sm2"
)

// DigitalSettings are those of our wallet at an operating bank of the digital RMB.
type DigitalSettings struct {
	Wallet    string
	Key       *sm2.PrivateKey
	Public    *ecdsa.PublicKey // the bank's
	URL       string
	NotifyURL string
	Transport http.RoundTripper
	Now       func() time.Time
}

// digital speaks an operating bank's gateway: JSON, signed by SM2 with SM3
// (GB/T 32918, GB/T 32905). Banks differ in names; this is one of them.
type digital struct {
	DigitalSettings
	http *http.Client
}

// NewDigitalRMB makes the channel of a wallet.
func NewDigitalRMB(s DigitalSettings) (Channel, error) {
	if s.Wallet == "" || s.Key == nil || s.Public == nil || s.URL == "" {
		return nil, errors.New("channel: digital RMB needs a wallet, its private key, the bank's public key and an address")
	}
	return &digital{s, Settings{Transport: s.Transport}.client()}, nil
}

// DigitalMessage is what is asked, answered and noticed.
type DigitalMessage struct {
	Code     string `json:"code,omitempty"` // "0000" is good, "1404" no such trade, "2…" refused
	Wallet   string `json:"walletId"`
	OrderNo  string `json:"orderNo,omitempty"`
	RefundNo string `json:"refundNo,omitempty"`
	Serial   string `json:"serial,omitempty"`
	Fen      int64  `json:"amount,omitempty"`
	Subject  string `json:"subject,omitempty"`
	Expires  string `json:"expires,omitempty"`
	Notify   string `json:"notifyUrl,omitempty"`
	Status   string `json:"status,omitempty"` // the states of TradeState
	PaidAt   string `json:"paidAt,omitempty"`
	Token    string `json:"payToken,omitempty"`
	NoticeID string `json:"noticeId,omitempty"`
	Day      string `json:"day,omitempty"`
	Bill     string `json:"bill,omitempty"`
}

// SignDigital signs a message at a time: both go into headers.
func SignDigital(key *sm2.PrivateKey, at time.Time, body []byte) (http.Header, error) {
	stamp := strconv.FormatInt(at.Unix(), 10)
	signature, err := key.SignWithSM2(rand.Reader, nil, append([]byte(stamp+"\n"), body...))
	if err != nil {
		return nil, fmt.Errorf("channel: signing: %w", err)
	}
	return http.Header{"Content-Type": {"application/json"}, "X-Timestamp": {stamp}, "X-Signature": {base64.StdEncoding.EncodeToString(signature)}}, nil
}

// VerifyDigital checks what SignDigital signed, and that it is not old.
func VerifyDigital(key *ecdsa.PublicKey, now time.Time, header http.Header, body []byte) error {
	stamp := header.Get("X-Timestamp")
	signature, err := base64.StdEncoding.DecodeString(header.Get("X-Signature"))
	if err != nil || !fresh(now, stamp) || !sm2.VerifyASN1WithSM2(key, nil, append([]byte(stamp+"\n"), body...), signature) {
		return ErrSignature
	}
	return nil
}

func (d *digital) Merchant() string { return d.Wallet }

func (d *digital) call(ctx context.Context, path string, m DigitalMessage) (answer DigitalMessage, missing bool, err error) {
	m.Wallet = d.Wallet
	body, err := json.Marshal(m)
	if err != nil {
		return answer, false, fmt.Errorf("channel: digital RMB: %w", err)
	}
	header, err := SignDigital(d.Key, d.Now(), body)
	if err != nil {
		return answer, false, err
	}
	response, text, err := exchange(ctx, d.http, http.MethodPost, d.URL+path, header, body)
	if err != nil {
		return answer, false, err
	}
	if response.StatusCode != http.StatusOK {
		return answer, false, fmt.Errorf("channel: digital RMB answers %d", response.StatusCode)
	}
	if err := VerifyDigital(d.Public, d.Now(), response.Header, text); err != nil {
		return answer, false, err
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return answer, false, fmt.Errorf("channel: digital RMB: reading the answer: %w", err)
	}
	switch {
	case answer.Code == "0000":
		return answer, false, nil
	case answer.Code == "1404":
		return answer, true, nil
	case len(answer.Code) == 4 && answer.Code[0] == '2':
		return answer, false, &Refusal{answer.Code, ""}
	}
	return answer, false, fmt.Errorf("channel: digital RMB answers %.8q", answer.Code)
}

func (m DigitalMessage) trade() Trade {
	told := Trade{OutTradeNo: m.OrderNo, TradeNo: m.Serial, Merchant: m.Wallet, Fen: m.Fen, State: TradeState(m.Status)}
	told.PaidAt, _ = time.Parse(time.RFC3339, m.PaidAt)
	return told
}

func (d *digital) Prepay(ctx context.Context, p Payment) (Invocation, error) {
	answer, _, err := d.call(ctx, "/order/create", DigitalMessage{OrderNo: p.OutTradeNo, Fen: p.Fen, Subject: p.Subject, Expires: p.ExpiresAt.Format(time.RFC3339), Notify: d.NotifyURL})
	if err == nil && answer.Token == "" {
		err = errors.New("channel: digital RMB gave no token")
	}
	return Invocation{"payToken": answer.Token}, err
}

func (d *digital) one(ctx context.Context, path, outTradeNo string) (Trade, error) {
	answer, missing, err := d.call(ctx, path, DigitalMessage{OrderNo: outTradeNo})
	switch {
	case err != nil:
		return Trade{}, err
	case missing:
		return Trade{OutTradeNo: outTradeNo, State: NotFound}, nil
	case answer.OrderNo != outTradeNo:
		return Trade{}, errors.New("channel: digital RMB tells of another trade")
	}
	return answer.trade(), nil
}

func (d *digital) Query(ctx context.Context, no string) (Trade, error) {
	return d.one(ctx, "/order/query", no)
}

func (d *digital) Close(ctx context.Context, no string) (Trade, error) {
	return d.one(ctx, "/order/close", no)
}

func (d *digital) back(ctx context.Context, path string, r Return) (Returned, error) {
	answer, missing, err := d.call(ctx, path, DigitalMessage{OrderNo: r.OutTradeNo, RefundNo: r.RefundNo, Fen: r.Fen})
	if err == nil && missing {
		return Returned{RefundNo: r.RefundNo, State: NotFound}, nil
	}
	return Returned{RefundNo: r.RefundNo, Fen: answer.Fen, State: TradeState(answer.Status)}, err
}

func (d *digital) Refund(ctx context.Context, r Return) (Returned, error) {
	told, err := d.back(ctx, "/refund/create", r)
	if err == nil && told.State == NotFound {
		err = &Refusal{"1404", ""}
	}
	return told, err
}

func (d *digital) QueryRefund(ctx context.Context, r Return) (Returned, error) {
	return d.back(ctx, "/refund/query", r)
}

func (d *digital) Notice(header http.Header, body []byte) (Notice, error) {
	if err := VerifyDigital(d.Public, d.Now(), header, body); err != nil {
		return Notice{}, err
	}
	var m DigitalMessage
	if json.Unmarshal(body, &m) != nil || m.NoticeID == "" {
		return Notice{}, ErrSignature
	}
	return Notice{m.NoticeID, m.trade()}, nil
}

func (d *digital) Acknowledge(w http.ResponseWriter, taken bool) {
	_, _ = w.Write([]byte(map[bool]string{true: `{"code":"0000"}`, false: `{"code":"9999"}`}[taken]))
}

func (d *digital) Bill(ctx context.Context, day time.Time) ([]Line, error) {
	answer, missing, err := d.call(ctx, "/bill", DigitalMessage{Day: day.In(Beijing).Format(time.DateOnly)})
	if err != nil || missing {
		return nil, err
	}
	return ReadBill(answer.Bill)
}
