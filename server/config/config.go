// Package config is the command line of citizencloud: its commands, their
// flags, and the environment variable behind each flag (CITIZENCLOUD_ and the
// flag's name in capitals: --database-url is CITIZENCLOUD_DATABASE_URL). A flag
// beats the variable, the variable beats the default. Start reading at Parse.
package config

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// Prefix starts the name of each environment variable.
const Prefix = "CITIZENCLOUD"

// Line is the whole command line. Command names the command that was given;
// only its struct is filled.
type Line struct {
	Command string `kong:"-"`

	Serve    Serve    `cmd:"" help:"Run the whole platform: the gateway, the four subgraphs and, where nothing else is configured, their state."`
	Gateway  Gateway  `cmd:"" help:"Run the gateway alone over any federated supergraph whose subgraphs speak HTTP."`
	Subgraph Subgraph `cmd:"" help:"Run one of the platform's subgraphs on its own."`
	Explain  Explain  `cmd:"" help:"Print the plan of an operation."`
	Demo     Demo     `cmd:"" help:"Walk the main job over plain HTTP, and say each step; a mismatch exits with 1."`
	Audit    Audit    `cmd:"" help:"Check the audit log."`
	Keys     Keys     `cmd:"" help:"Change the keys of personal data while the platform runs."`
	Version  Version  `cmd:"" help:"Print the version."`

	Log Log `embed:"" prefix:"log-"`
}

// Serve runs everything in one process.
type Serve struct {
	State     `embed:""`
	Listener  `embed:""`
	Providers `embed:""`
	Logs      `embed:""`
	Public    `embed:""`
	Scale     string             `enum:"demo,city,none" default:"none" help:"Demonstration data to load into an empty database: ${enum}."`
	Mode      string             `enum:"development,production" default:"production" help:"production runs only operations of the clients' manifests; development runs free queries too, and shows the explorer and the inbox of simulated messages."`
	Subgraphs map[string]string  `name:"subgraph" placeholder:"NAME=URL" help:"Reach this subgraph over HTTP instead of running it in this process; may be repeated."`
	Dedupe    string             `enum:"none,subgraph,all" default:"subgraph" help:"Share identical work in flight: ${enum}."`
	MaxCost   map[string]float64 `placeholder:"CLIENT=COST" help:"The most that an operation of this client may be estimated to cost, 0 for any; * stands for every other client. By default partner=2000;*=10000 in production mode, any in development mode."`
}

// Gateway runs over a supergraph of anyone's.
type Gateway struct {
	Listener   `embed:""`
	Supergraph string        `required:"" type:"path" placeholder:"FILE" help:"The composed supergraph (join specification v0.3 or later)."`
	Dedupe     string        `enum:"none,subgraph,all" default:"none" help:"Share identical work in flight: none; subgraph: fetches; all: client requests too."`
	Timeout    time.Duration `default:"30s" help:"Longest time for one operation."`
	Mode       string        `enum:"development,production" default:"production" help:"development shows the explorer and the plan viewer, and explains answers to whoever asks."`
	Label      []string      `placeholder:"LABEL" help:"A label of progressive overrides (@override) that is active, besides the percentages; may be repeated."`
	Access     `embed:""`
	NatsURL    string  `name:"nats-url" placeholder:"URL" help:"NATS with JetStream of the platform that the lines of the log are collected in; without it they go to standard error alone."`
	MaxCost    float64 `placeholder:"COST" help:"The most that an operation may be estimated to cost, by @cost and @listSize; without it any."`
}

// Subgraph runs one subgraph.
type Subgraph struct {
	Name      string `arg:"" enum:"platform,citizen,community,supply" help:"platform, citizen, community or supply."`
	State     `embed:""`
	Listener  `embed:""`
	Providers `embed:""`
	Logs      `embed:""`
	Public    `embed:""`
	Mode      string `enum:"development,production" default:"production" help:"As in serve."`
}

// Explain prints a plan, or what a stage before or after it makes of the operation.
type Explain struct {
	Supergraph string   `required:"" type:"path" placeholder:"FILE" help:"The composed supergraph."`
	Operation  string   `required:"" placeholder:"FILE" help:"The operation; - reads it from standard input."`
	Name       string   `help:"Which operation of the document, when it has several."`
	Stage      string   `enum:"parse,validate,choices,plan,fetches" default:"plan" help:"What to print: the operation as it was read (parse), its measures and their limits (validate), the ways that were weighed and their costs (choices), the plan and how many calls of subgraphs it predicts (plan), or the documents that would be sent and where (fetches)."`
	Label      []string `placeholder:"LABEL" help:"A label of progressive overrides (@override) that is active, percent(x) too; may be repeated. The others are not."`
	JSON       bool     `name:"json" help:"Print the plan, or with --stage choices what was weighed, as JSON."`
}

// Validate refuses flags that do not go together.
func (e *Explain) Validate() error {
	if e.JSON && e.Stage != "plan" && e.Stage != "choices" {
		return errors.New("--json prints the plan or the choices: leave out --stage, or give --stage choices")
	}
	return nil
}

// Demo walks the main job.
type Demo struct {
	URL     string `placeholder:"URL" help:"A running platform in development mode with demonstration data; without it the demo starts its own: all in one process, then one process for the gateway and each subgraph."`
	Citizen int    `default:"4321" help:"Number of the demonstration citizen who plays it."`
}

// Version prints the version.
type Version struct{}

// Listener says where requests are taken and how they end.
type Listener struct {
	Listen        string        `default:"127.0.0.1:4000" placeholder:"HOST:PORT" help:"Where to take requests; by default ${default}."`
	MetricsListen string        `placeholder:"HOST:PORT" help:"Where to show Prometheus metrics, at /metrics; nowhere when empty."`
	TrustedProxy  []string      `placeholder:"CIDR" help:"Networks of proxies (and, for a subgraph, of gateways) whose X-Forwarded-For is believed; this machine's own for a subgraph."`
	DrainTimeout  time.Duration `default:"20s" help:"Longest time that requests in flight get to finish at a stop."`
}

// Public says where browsers reach the platform.
type Public struct {
	PublicURL string `name:"public-url" placeholder:"URL" help:"Where browsers reach the platform, such as https://id.example.cn; sign-in for other applications (OpenID Connect) is offered below it at /oidc. Without it none is offered, but in development mode at the address of --listen."`
}

// State says where the state is. What has no URL runs inside, under Data.
type State struct {
	Data           string `type:"path" default:".data" placeholder:"DIR" help:"Folder of all state that has no URL of its own; by default .data."`
	DatabaseURL    string `name:"database-url" placeholder:"URL" help:"PostgreSQL of the owner, who migrates; without it a private PostgreSQL runs as a child."`
	DatabaseAppURL string `name:"database-app-url" placeholder:"URL" help:"PostgreSQL of the role that serves requests, bound by row-level security; without it the owner's sessions step down to citizencloud_app."`
	RedisURL       string `name:"redis-url" placeholder:"URL" help:"Redis; without it a small one runs inside."`
	NatsURL        string `name:"nats-url" placeholder:"URL" help:"NATS with JetStream; without it one runs inside."`
	FilesURL       string `name:"files-url" placeholder:"URL" help:"Object storage, s3://KEY:SECRET@HOST:PORT/BUCKET?region=NAME&tls=true, or a folder, file:///DIR; without it a folder under the data folder."`
}

// Logs says how the logs of all processes are kept.
type Logs struct {
	LogMonths int `default:"6" placeholder:"MONTHS" help:"How many whole months of all processes' and clients' logs are kept besides the present one; six at least, 120 at most."`
}

// Months checks LogMonths.
func (l Logs) Months() (int, error) {
	if l.LogMonths < 6 || l.LogMonths > 120 {
		return 0, fmt.Errorf("--log-months %d is not between 6, which the law wants, and 120", l.LogMonths)
	}
	return l.LogMonths, nil
}

// Log says how the log looks.
type Log struct {
	Level  string `enum:"debug,info,warn,error" default:"info" help:"Least level to log: ${enum}."`
	Format string `enum:"auto,text,json" default:"auto" help:"auto is text in development mode, json otherwise."`
}

// SubgraphNames are the platform's subgraphs, for sentences.
const SubgraphNames = "platform, citizen, community, supply"

// Proxies reads the networks of trusted proxies.
func (l Listener) Proxies() ([]netip.Prefix, error) {
	var networks []netip.Prefix
	for _, text := range l.TrustedProxy {
		network, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("--trusted-proxy %q is not a network such as 10.0.0.0/8", text)
		}
		networks = append(networks, network)
	}
	return networks, nil
}

// KnownSubgraph reports whether the platform has a subgraph of this name.
func KnownSubgraph(name string) bool {
	return slices.Contains(strings.Split(SubgraphNames, ", "), name)
}

// ErrHelp says that help was asked for and printed.
var ErrHelp = errors.New("help was printed")

// Parse reads the arguments (without the program's name) and the environment.
// Its errors are sentences for the person at the terminal. Help goes to stdout.
func Parse(arguments []string, stdout io.Writer) (*Line, error) {
	line := &Line{}
	printed := false
	parser, err := kong.New(line,
		kong.Name("citizencloud"),
		kong.Description("Citizen Cloud: the city's services for citizens, communities and those who supply them, behind one GraphQL gateway. Each flag can be given as an environment variable too, named in its help."),
		kong.DefaultEnvars(Prefix),
		kong.Writers(stdout, stdout),
		kong.Exit(func(int) { printed = true }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110}),
	)
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	if len(arguments) == 0 {
		arguments = []string{"--help"}
	}
	parsed, err := parser.Parse(arguments)
	if printed {
		return nil, ErrHelp
	}
	if err != nil {
		return nil, fmt.Errorf("%w (see citizencloud --help)", err)
	}
	line.Command = parsed.Selected().Name
	if above := parsed.Selected().Parent; above != nil && above.Type == kong.CommandNode {
		line.Command = above.Name + " " + line.Command
	}
	return line, nil
}
