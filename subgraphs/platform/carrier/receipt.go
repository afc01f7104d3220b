package carrier

import (
	"context"
	"crypto/hmac"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"time"
)

const (
	mostReceipts = 1000
	receiptBytes = 256 << 10
	receiptAge   = 5 * time.Minute // how far off the timestamp may be
)

// Receipts takes what the gateways tell: POST of JSON
// {"receipts":[{"key","delivered","reason"}]} to a path that ends in the
// provider's name, signed by that provider's secret. 204 says that it is kept;
// after any other answer the provider tells again. Telling twice changes nothing.
func Receipts(gateways []*Gateway, receive func(context.Context, []Receipt) error, now func() time.Time) http.Handler {
	byName := make(map[string]*Gateway, len(gateways))
	for _, g := range gateways {
		byName[g.name] = g
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g := byName[r.PathValue("provider")]
		if g == nil {
			http.NotFound(w, r)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, receiptBytes))
		if err != nil {
			http.Error(w, "内容过大或中断", http.StatusRequestEntityTooLarge)
			return
		}
		timestamp := r.Header.Get("X-Timestamp")
		seconds, err := strconv.ParseInt(timestamp, 10, 64)
		if err != nil || now().Sub(time.Unix(seconds, 0)).Abs() > receiptAge ||
			!hmac.Equal([]byte(r.Header.Get("X-Signature")), []byte(sign(g.secret, timestamp, body))) {
			http.Error(w, "签名无效", http.StatusUnauthorized)
			return
		}
		var told struct {
			Receipts []struct {
				Key       string `json:"key"`
				Delivered bool   `json:"delivered"`
				Reason    string `json:"reason"`
			} `json:"receipts"`
		}
		if json.Unmarshal(body, &told) != nil || len(told.Receipts) > mostReceipts {
			http.Error(w, "回执格式有误", http.StatusBadRequest)
			return
		}
		receipts := make([]Receipt, len(told.Receipts))
		for i, one := range told.Receipts {
			receipts[i] = Receipt{Provider: g.name, Key: one.Key, Delivered: one.Delivered}
			if !one.Delivered {
				receipts[i].Reason = reasonCode(one.Reason, http.StatusOK)
			}
		}
		if err := receive(r.Context(), receipts); err != nil {
			http.Error(w, "暂时无法保存", http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
}
