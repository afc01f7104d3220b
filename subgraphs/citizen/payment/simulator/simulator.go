package simulator

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/emmansun/gmsm/sm2"

	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/sheet"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/payment/channel"
)

// Simulator plays all four channels: the true clients, whose requests it
// answers without a network, after the checks that a channel makes.
type Simulator struct {
	Books map[channel.Name]*Book
	now   func() time.Time
	// ours signs what we ask, theirs what the channels say.
	ours, theirs     *rsa.PrivateKey
	oursSM, theirsSM *sm2.PrivateKey
	secret           []byte // WeChat's APIv3 key

	mu     sync.Mutex
	faults map[channel.Name]Fault
	late   []Telling
}

// Fault is what a simulated channel does wrong.
type Fault string

// The faults; "" is none.
const (
	LostNotice          Fault = "LOST_NOTICE"
	DoubleNotice        Fault = "DOUBLE_NOTICE"
	LateNotice          Fault = "LATE_NOTICE" // told by Late
	WrongSignature      Fault = "WRONG_SIGNATURE"
	WrongAmount         Fault = "WRONG_AMOUNT"
	TimeoutAfterSuccess Fault = "TIMEOUT_AFTER_SUCCESS" // what is asked is done, the answer is lost
	Down                Fault = "DOWN"
)

// Our names at the simulated channels.
const (
	account = "1900000001"
	app     = "wx0000000000000001"
	serial  = "SIMULATED0001"
)

// New makes a simulator with keys of its own. It takes a moment.
func New(db *database.DB, now func() time.Time) (*Simulator, error) {
	s := &Simulator{Books: map[channel.Name]*Book{}, now: now, secret: make([]byte, 32), faults: map[channel.Name]Fault{}}
	for _, name := range channel.Names {
		s.Books[name] = &Book{Channel: name, DB: db, Now: now}
	}
	_, _ = rand.Read(s.secret)
	var failed [4]error
	s.ours, failed[0] = rsa.GenerateKey(rand.Reader, 2048)
	s.theirs, failed[1] = rsa.GenerateKey(rand.Reader, 2048)
	s.oursSM, failed[2] = sm2.GenerateKey(rand.Reader)
	s.theirsSM, failed[3] = sm2.GenerateKey(rand.Reader)
	if err := errors.Join(failed[:]...); err != nil {
		return nil, fmt.Errorf("simulator: making keys: %w", err)
	}
	return s, nil
}

// Channels are the true clients over the simulator.
func (s *Simulator) Channels() (map[channel.Name]channel.Channel, error) {
	channels := map[channel.Name]channel.Channel{}
	settings := channel.Settings{Merchant: account, App: app, Serial: serial, Key: s.ours, Public: &s.theirs.PublicKey, Secret: s.secret, NotifyURL: "https://simulated.invalid/payments/notices", Now: s.now}
	for name, make := range map[channel.Name]func(channel.Settings) (channel.Channel, error){
		channel.WeChat: channel.NewWeChat, channel.Alipay: channel.NewAlipay, channel.UnionPay: channel.NewUnionPay,
	} {
		settings.URL, settings.Transport = "https://"+string(name)+".simulated", wire{s, name}
		made, err := make(settings)
		if err != nil {
			return nil, err
		}
		channels[name] = made
	}
	made, err := channel.NewDigitalRMB(channel.DigitalSettings{Wallet: account, Key: s.oursSM, Public: &s.theirsSM.PublicKey, URL: "https://digital.simulated",
		Transport: wire{s, channel.DigitalRMB}, NotifyURL: settings.NotifyURL, Now: s.now})
	channels[channel.DigitalRMB] = made
	return channels, err
}

// SetFault makes the channel do something wrong until told otherwise.
func (s *Simulator) SetFault(name channel.Name, f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults[name] = f
}

func (s *Simulator) fault(name channel.Name) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults[name]
}

// wire is the way to one channel.
type wire struct {
	*Simulator
	name channel.Name
}

var errTimeout = errors.New("simulator: nothing came back in time")

// RoundTrip implements http.RoundTripper.
func (w wire) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		defer func() { _ = r.Body.Close() }()
		read, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		if err != nil {
			return nil, err
		}
		body = read
	}
	if w.fault(w.name) == Down {
		return nil, errTimeout
	}
	answer := map[channel.Name]func(context.Context, *http.Request, []byte) reply{
		channel.WeChat: w.weChat, channel.Alipay: w.alipay, channel.UnionPay: w.unionPay, channel.DigitalRMB: w.digital,
	}[w.name](r.Context(), r, body)
	if w.fault(w.name) == TimeoutAfterSuccess {
		return nil, errTimeout
	}
	if answer.header == nil {
		answer.header = http.Header{}
	}
	if answer.status == 0 {
		answer.status = http.StatusOK
	}
	return &http.Response{Status: http.StatusText(answer.status), StatusCode: answer.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: answer.header, Body: io.NopCloser(bytes.NewReader(answer.body)), ContentLength: int64(len(answer.body)), Request: r}, nil
}

// reply is what a channel answers.
type reply struct {
	status int // 0 is 200
	header http.Header
	body   []byte
}

// Telling is a notice on its way.
type Telling struct {
	Channel channel.Name
	Header  http.Header
	Body    []byte
}

// Pay is the citizen at the channel's cashier, who pays; it gives the notices
// that the channel sends, in its own shape and signed.
func (s *Simulator) Pay(ctx context.Context, name channel.Name, outTradeNo string) ([]Telling, error) {
	trade, err := s.Books[name].Pay(ctx, outTradeNo)
	if err != nil {
		return nil, err
	}
	f := s.fault(name)
	if f == WrongAmount {
		trade.Fen++
	}
	told, err := s.tell(name, trade)
	if err != nil {
		return nil, err
	}
	switch f {
	case LostNotice:
		return nil, nil
	case DoubleNotice:
		return []Telling{told, told}, nil
	case LateNotice:
		s.mu.Lock()
		defer s.mu.Unlock()
		s.late = append(s.late, told)
		return nil, nil
	case WrongSignature:
		told.Body = bytes.Replace(told.Body, []byte("1"), []byte("2"), 1)
	}
	return []Telling{told}, nil
}

// Late gives the notices that were held back.
func (s *Simulator) Late() []Telling {
	s.mu.Lock()
	defer s.mu.Unlock()
	late := s.late
	s.late = nil
	return late
}

// bill writes the day's bill.
func (b *Book) bill(ctx context.Context, day string) (string, error) {
	at, err := time.ParseInLocation(time.DateOnly, day, channel.Beijing)
	if err != nil {
		return "", err
	}
	lines, err := b.Bill(ctx, at)
	if err != nil {
		return "", err
	}
	return sheet.Exchange(func(write func(cells ...string)) {
		for _, line := range lines {
			write(line.OutTradeNo, line.TradeNo, line.RefundNo, channel.Yuan(line.Fen), channel.Yuan(line.FeeFen), line.At.Format(time.RFC3339))
		}
	}), nil
}
