// Package oidc is the OpenID Connect provider 统一登录: one sign-in at its own
// page serves the platform's own clients and third-party applications (package
// clientapp), by the code flow with PKCE (RFC 7636) or on a device without a
// keyboard (RFC 8628). The protocol's messages are read and written by
// zitadel/oidc; what is decided and kept is here.
//
// Start reading at Provider and its Handler. The way of a sign-in: request.go
// keeps what an application asked for, login.go finds out who it is and sso.go
// remembers it for the next application, agree.go asks what they agree to, and
// storage.go hands out what grant.go keeps. device.go and logout.go are the other
// two ways, key.go the keys of ID tokens, bearer.go what the gateway reads from an
// access token, page.go and wording.go what people see.
package oidc

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/zitadel/oidc/v3/pkg/op"
	"golang.org/x/text/language"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/subgraphs/platform/captcha"
	"github.com/citizencloud/citizencloud/subgraphs/platform/citizen"
	"github.com/citizencloud/citizencloud/subgraphs/platform/clientapp"
	"github.com/citizencloud/citizencloud/subgraphs/platform/consent"
	"github.com/citizencloud/citizencloud/subgraphs/platform/orgunit"
	"github.com/citizencloud/citizencloud/subgraphs/platform/personal"
	"github.com/citizencloud/citizencloud/subgraphs/platform/session"
	"github.com/citizencloud/citizencloud/subgraphs/platform/worker"
)

// Path is where the provider is mounted.
const Path = "/oidc"

// Parts is what the provider stands on.
type Parts struct {
	DB       *database.DB
	Redis    redis.UniversalClient
	Keys     *personal.Keys
	Apps     *clientapp.Service
	Consents *consent.Service
	Sessions *session.Service
	Citizens *citizen.Service
	Workers  *worker.Service
	Units    *orgunit.Service
	Captchas *captcha.Service
	// PublicURL is where browsers reach the platform, without a path; "" is no provider.
	PublicURL string
	// Proxies are the networks whose X-Forwarded-For is believed.
	Proxies []netip.Prefix
	Now     func() time.Time
	Log     *slog.Logger
}

// Provider is the provider.
type Provider struct {
	Parts
	issuer string
	secure bool // cookies go over TLS only
	tokens tokenCrypto
	csrf   []byte
	pair   []byte // of subjects, see subject
	ring   keyRing
	served func() (http.Handler, error)
	op     *op.Provider // once served
}

// New makes the provider; what costs time is done at the first request.
func New(parts Parts) *Provider {
	p := &Provider{Parts: parts, issuer: strings.TrimSuffix(parts.PublicURL, "/") + Path}
	p.secure = strings.HasPrefix(p.issuer, "https://")
	p.tokens = newTokenCrypto(p.Keys.Derive("oidc tokens"))
	p.csrf, p.pair = p.Keys.Derive("oidc forms"), p.Keys.Derive("oidc subjects")
	p.served = sync.OnceValues(p.serve)
	return p
}

// CheckPublicURL says what is wrong with an address for browsers.
func CheckPublicURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("%q is not an address such as https://id.example.cn", text)
	}
	return nil
}

// Lifetimes of what the provider hands out.
const (
	requestLife = 30 * time.Minute // to sign in and agree
	codeLife    = time.Minute
	accessLife  = 15 * time.Minute
	idTokenLife = time.Hour
	deviceLife  = 10 * time.Minute
	devicePoll  = 5 * time.Second
)

// refreshLife is how long a refresh token counts unused; the session bounds it too.
var refreshLife = map[access.Kind]time.Duration{access.Citizen: 30 * 24 * time.Hour, access.Worker: 12 * time.Hour}

// serve makes the handler.
func (p *Provider) serve() (http.Handler, error) {
	if p.PublicURL == "" {
		return http.NotFoundHandler(), nil
	}
	options := []op.Option{op.WithCrypto(p.tokens), op.WithCORSOptions(nil)}
	if !p.secure {
		options = append(options, op.WithAllowInsecure())
	}
	provider, err := op.NewProvider(&op.Config{
		CodeMethodS256: true, AuthMethodPost: true, GrantTypeRefreshToken: true,
		DefaultLogoutRedirectURI: p.issuer + "/signed-out",
		SupportedUILocales:       []language.Tag{language.SimplifiedChinese, language.English},
		SupportedScopes:          scopeNames(),
		SupportedClaims:          claimNames,
		DeviceAuthorization: op.DeviceAuthorizationConfig{Lifetime: deviceLife, PollInterval: devicePoll,
			UserFormPath: Path + "/device", UserCode: op.UserCodeBase20},
	}, &storage{p}, op.StaticIssuer(p.issuer), options...)
	if err != nil {
		return nil, fmt.Errorf("oidc: %w", err)
	}
	p.op = provider
	return p.routes(), nil
}

// Handler serves all below Path.
func (p *Provider) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler, err := p.served()
		if err != nil {
			p.Log.ErrorContext(r.Context(), "the OpenID provider cannot serve", "error", err)
			http.Error(w, "服务暂时不可用，请稍后重试", http.StatusServiceUnavailable)
			return
		}
		handler.ServeHTTP(w, r)
	})
}

// subject is the name under which the application knows the person: another one
// for each third party, so that two of them cannot put together what they know
// (OpenID Connect Core, section 8.1). The platform's own clients share one.
func (p *Provider) subject(a *clientapp.ClientApp, kind access.Kind, id string) string {
	sector := a.ID
	if a.FirstParty() {
		sector = "citizencloud"
	}
	mac := hmac.New(sha256.New, p.pair)
	mac.Write([]byte(sector + "\x00" + string(kind) + "\x00" + id))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:18])
}

func hashOf(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

func (p *Provider) now() time.Time { return p.Now().Truncate(time.Microsecond) }

func asSystem(ctx context.Context) context.Context { return access.AsSystem(ctx, "oidc") }
