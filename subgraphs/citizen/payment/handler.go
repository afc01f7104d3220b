package payment

import (
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/citizencloud/citizencloud/subgraphs/citizen/payment/channel"
)

// maxNotice bounds a notice, in bytes.
const maxNotice = 64 << 10

// channelPaths are the ends of the notices' paths.
var channelPaths = map[string]channel.Name{"wechat": channel.WeChat, "alipay": channel.Alipay, "unionpay": channel.UnionPay, "digital-rmb": channel.DigitalRMB}

// NoticeHandler takes notices of channels: POST to a path that ends in the
// channel's name. Each is answered as its channel wants it; only what is kept
// is acknowledged, all else the channel tells again.
func (p *Payments) NoticeHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := channelPaths[strings.ToLower(r.PathValue("channel"))]
		ch := p.channel(name)
		if ch == nil {
			http.NotFound(w, r)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxNotice))
		if err != nil {
			http.Error(w, "内容过大或中断", http.StatusRequestEntityTooLarge)
			return
		}
		err = p.Notice(r.Context(), name, r.Header, body)
		if err != nil {
			level := p.Log.ErrorContext
			if errors.Is(err, channel.ErrSignature) {
				level = p.Log.WarnContext
			}
			level(r.Context(), "payment notice not taken", "channel", name, "error", err)
		}
		ch.Acknowledge(w, err == nil)
	})
}
