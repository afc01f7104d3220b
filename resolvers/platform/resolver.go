// Package platform resolves the platform subgraph's schema: each resolver is
// one call of a service of subgraphs/platform or of a loader.
//
// Start reading at Deps and New; connection.go turns pages into connections,
// the *.resolver.go files follow schema/platform.
package platform

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"github.com/citizencloud/citizencloud/foundation/access/can"
	shown "github.com/citizencloud/citizencloud/foundation/access/personal"
	record "github.com/citizencloud/citizencloud/foundation/audit"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/event"
	"github.com/citizencloud/citizencloud/foundation/token"
	loaders "github.com/citizencloud/citizencloud/loaders/platform"
	"github.com/citizencloud/citizencloud/subgraphs/platform/area"
	"github.com/citizencloud/citizencloud/subgraphs/platform/audit"
	"github.com/citizencloud/citizencloud/subgraphs/platform/captcha"
	"github.com/citizencloud/citizencloud/subgraphs/platform/carrier"
	"github.com/citizencloud/citizencloud/subgraphs/platform/citizen"
	"github.com/citizencloud/citizencloud/subgraphs/platform/citizentag"
	"github.com/citizencloud/citizencloud/subgraphs/platform/clientapp"
	"github.com/citizencloud/citizencloud/subgraphs/platform/consent"
	"github.com/citizencloud/citizencloud/subgraphs/platform/delegation"
	"github.com/citizencloud/citizencloud/subgraphs/platform/executable"
	"github.com/citizencloud/citizencloud/subgraphs/platform/file"
	"github.com/citizencloud/citizencloud/subgraphs/platform/gatewayrule"
	"github.com/citizencloud/citizencloud/subgraphs/platform/inbox"
	"github.com/citizencloud/citizencloud/subgraphs/platform/institution"
	"github.com/citizencloud/citizencloud/subgraphs/platform/log"
	"github.com/citizencloud/citizencloud/subgraphs/platform/message"
	"github.com/citizencloud/citizencloud/subgraphs/platform/notification"
	"github.com/citizencloud/citizencloud/subgraphs/platform/oidc"
	"github.com/citizencloud/citizencloud/subgraphs/platform/orgunit"
	"github.com/citizencloud/citizencloud/subgraphs/platform/permission"
	"github.com/citizencloud/citizencloud/subgraphs/platform/personal"
	"github.com/citizencloud/citizencloud/subgraphs/platform/place"
	"github.com/citizencloud/citizencloud/subgraphs/platform/post"
	"github.com/citizencloud/citizencloud/subgraphs/platform/realname"
	"github.com/citizencloud/citizencloud/subgraphs/platform/realname/face"
	"github.com/citizencloud/citizencloud/subgraphs/platform/realname/register"
	"github.com/citizencloud/citizencloud/subgraphs/platform/secondfactor"
	"github.com/citizencloud/citizencloud/subgraphs/platform/session"
	"github.com/citizencloud/citizencloud/subgraphs/platform/sms"
	"github.com/citizencloud/citizencloud/subgraphs/platform/thirdparty"
	"github.com/citizencloud/citizencloud/subgraphs/platform/worker"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow"
)

// Deps is what the platform subgraph stands on.
type Deps struct {
	DB       *database.DB
	Bus      *event.Bus
	Redis    redis.UniversalClient
	Signer   *token.Signer
	Verifier *token.Verifier
	Files    file.Files
	// Scanner looks for malware in files; nil lets all pass.
	Scanner file.Scanner
	// Keys seal personal data, see personal.LoadKeys.
	Keys *personal.Keys
	// Seals sign the audit log, see audit.LoadSealer; nil appends nothing to it.
	Seals *audit.Sealer
	// SMS sends codes; nil is the lane of codes over Carriers' providers, which
	// are simulated in development. Without any of these nobody does.
	SMS sms.Provider
	// Carriers carry messages out of the platform.
	Carriers Carriers
	// Others are the platforms whose accounts sign citizens in.
	Others thirdparty.Providers
	// Register and Face judge who people are; nil is the simulator in development,
	// and else nobody.
	Register register.Register
	Face     face.Provider
	// RealName are an installation's settings of real names; nil is realname.Usual.
	RealName *realname.Settings
	// Limits bound codes; nil is sms.Usual.
	Limits *sms.Limits
	// PublicURL is where browsers reach the platform; "" offers no sign-in to
	// other applications.
	PublicURL string
	// Proxies are the networks whose X-Forwarded-For is believed.
	Proxies []netip.Prefix
	// PartnerOperations are the names of what third-party applications may be
	// granted; nil for not known.
	PartnerOperations []string
	Now               func() time.Time // nil is time.Now
	Log               *slog.Logger     // nil is slog.Default
	LogMonths         int              // that logs are kept besides the present one; at least six
	Development       bool             // shows the inbox of the SMS simulator
}

// Resolver is the root of the resolvers.
type Resolver struct {
	deps          Deps
	simulator     *sms.Simulator
	areas         *area.Service
	units         *orgunit.Service
	workers       *worker.Service
	posts         *post.Service
	factors       *secondfactor.Service
	institutions  *institution.Service
	delegations   *delegation.Service
	permissions   *permission.Service
	citizens      *citizen.Service
	sessions      *session.Service
	captchas      *captcha.Service
	notifications *notification.Service
	messages      *message.Service
	tags          *citizentag.Service
	simulators    []*carrier.Simulator
	files         *file.Service
	places        *place.Service
	rules         *gatewayrule.Service
	realnames     *realname.Service
	logs          *log.Service
	journal       *record.Journal
	audits        *audit.Service
	workflows     *workflow.Service
	inboxes       *inbox.Service
	clientApps    *clientapp.Service
	consents      *consent.Service
	provider      *oidc.Provider
}

// New puts the services together. It does nothing yet; Run works in the background.
func New(d Deps) *Resolver {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.Default()
	}
	if d.Limits == nil {
		d.Limits = &sms.Usual
	}
	r := &Resolver{deps: d, simulator: &sms.Simulator{Redis: d.Redis, Log: d.Log, Now: d.Now}}
	r.tags = &citizentag.Service{DB: d.DB, Now: d.Now}
	var codes carrier.Codes
	r.messages, codes, r.simulators = newMessages(d, r.simulator)
	if d.SMS == nil {
		d.SMS = sms.Nobody{}
		if d.Development || len(d.Carriers.Texts) > 0 {
			d.SMS = codes
		}
	}
	r.journal = &record.Journal{Subgraph: "platform", DB: d.DB, Now: d.Now, Log: d.Log}
	r.audits = &audit.Service{DB: d.DB, Now: d.Now}
	r.areas = area.New(d.DB, d.Now, d.Log)
	r.units = &orgunit.Service{DB: d.DB, Now: d.Now}
	r.workers = &worker.Service{DB: d.DB, Now: d.Now, Passwords: worker.NewPasswords()}
	r.posts = &post.Service{DB: d.DB, Now: d.Now}
	r.factors = &secondfactor.Service{DB: d.DB, Keys: d.Keys, Now: d.Now}
	r.institutions = &institution.Service{DB: d.DB}
	r.citizens = citizen.New(d.DB, d.Keys, d.Now)
	r.captchas = captcha.New(d.Redis, captcha.Usual, d.Keys)
	r.sessions = session.New(session.Parts{
		DB: d.DB, Redis: d.Redis, Signer: d.Signer, Keys: d.Keys, Citizens: r.citizens, Workers: r.workers, Factors: r.factors,
		Codes: sms.New(d.Redis, d.SMS, *d.Limits, d.Keys), Captchas: r.captchas, Others: d.Others, Now: d.Now, Log: d.Log,
	})
	r.delegations = &delegation.Service{DB: d.DB, Now: d.Now, Sessions: r.sessions}
	r.permissions = &permission.Service{DB: d.DB}
	r.units.Sessions, r.workers.Sessions, r.posts.Sessions, r.factors.Sessions = r.sessions, r.sessions, r.sessions, r.sessions
	r.notifications = &notification.Service{DB: d.DB, Workers: r.workers, Hub: notification.NewHub(d.Bus), Now: d.Now, Log: d.Log}
	r.files = file.New(file.Parts{
		DB: d.DB, Redis: d.Redis, Files: d.Files, Scanner: d.Scanner, Signer: d.Signer, Verifier: d.Verifier, Keys: d.Keys, Now: d.Now, Log: d.Log,
	})
	r.places = &place.Service{DB: d.DB, Now: d.Now}
	r.rules = &gatewayrule.Service{DB: d.DB}
	r.realnames = newRealNames(d, r.citizens, r.files)
	r.logs = &log.Service{DB: d.DB, Now: d.Now}
	r.workflows = workflow.New(d.DB, d.Now, d.Log)
	r.inboxes = &inbox.Service{DB: d.DB, Hub: inbox.NewHub(d.Bus), Now: d.Now}
	r.clientApps = &clientapp.Service{DB: d.DB, Redis: d.Redis, Now: d.Now, Operations: d.PartnerOperations}
	r.consents = &consent.Service{DB: d.DB, Now: d.Now}
	r.provider = oidc.New(oidc.Parts{
		DB: d.DB, Redis: d.Redis, Keys: d.Keys, Apps: r.clientApps, Consents: r.consents, Sessions: r.sessions, Citizens: r.citizens, Workers: r.workers,
		Units: r.units, Captchas: r.captchas, PublicURL: d.PublicURL, Proxies: d.Proxies, Now: d.Now, Log: d.Log,
	})
	return r
}

// Executable is the subgraph's schema with these resolvers; its mutations are recorded.
func (r *Resolver) Executable() graphql.ExecutableSchema {
	return r.journal.Around(executable.NewExecutableSchema(executable.Config{Resolvers: r, Directives: executable.DirectiveRoot{Can: can.Field, Personal: shown.Field}}))
}

// Context puts request-scoped loaders into the context, once a request.
func (r *Resolver) Context(ctx context.Context) context.Context {
	return loaders.With(ctx, r.services())
}

func (r *Resolver) load(ctx context.Context) *loaders.Loaders { return loaders.From(ctx, r.services()) }

func (r *Resolver) services() loaders.Services {
	return loaders.Services{Units: r.units, Posts: r.posts, Workers: r.workers, Notifications: r.notifications, Workflows: r.workflows, Files: r.files, RealNames: r.realnames}
}

// Run makes the notifications and workflows that other subgraphs ask for and
// keeps the workflows' time limits, appends what they record to the audit log,
// removes old sessions, erases cancelled accounts and evidence of real names,
// until the context ends.
func (r *Resolver) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return r.notifications.Run(ctx, r.deps.Bus) })
	group.Go(func() error { return r.sessions.Run(ctx) })
	group.Go(func() error { return r.messages.Run(ctx, r.deps.Bus) })
	for _, s := range r.simulators {
		group.Go(func() error { return s.Run(ctx) })
	}
	group.Go(func() error { return r.citizens.Run(ctx, r.deps.Log) })
	group.Go(func() error { return r.citizens.Follow(ctx, r.deps.Bus) })
	group.Go(func() error { return r.workflows.Run(ctx, r.deps.Bus) })
	group.Go(func() error { return r.files.Run(ctx) })
	group.Go(func() error { return r.realnames.Run(ctx) })
	group.Go(func() error { return r.collectLogs(ctx) })
	group.Go(func() error { return r.provider.Run(ctx) })
	if r.deps.Seals != nil {
		appender := &audit.Appender{DB: r.deps.DB, Sealer: r.deps.Seals, Now: r.deps.Now, Log: r.deps.Log}
		group.Go(func() error { return appender.Run(ctx, r.deps.Bus) })
	}
	return group.Wait()
}

// FileHandler serves /files and all below: uploads, resumable ones, downloads.
func (r *Resolver) FileHandler() http.Handler { return r.files.Handler() }

// OpenIDHandler serves the OpenID Connect provider, all below oidc.Path.
func (r *Resolver) OpenIDHandler() http.Handler { return r.provider.Handler() }

// OpenID is the OpenID Connect provider: for the command that rotates its keys.
func (r *Resolver) OpenID() *oidc.Provider { return r.provider }

// InboxHandler shows the SMS simulator's messages (GET /development/inbox,
// ?format=json, ?mobile=) in development mode; else there is nothing.
func (r *Resolver) InboxHandler() http.Handler {
	if !r.deps.Development {
		return http.NotFoundHandler()
	}
	return r.simulator.Handler()
}

// SessionAlive says whether the session has neither ended nor expired: for
// the gateway, where an access token's fifteen minutes are too long.
func (r *Resolver) SessionAlive(ctx context.Context, sessionID string) (bool, error) {
	return r.sessions.Alive(ctx, sessionID)
}

// Listeners is the number of subscriptions to notifications in this process.
func (r *Resolver) Listeners() int { return r.notifications.Hub.Listeners() }

// SweepRealNames does at once what is due of real names: it gives up what waits
// too long, ends what has run out, and erases evidence.
func (r *Resolver) SweepRealNames(ctx context.Context) error { return r.realnames.Sweep(ctx) }
