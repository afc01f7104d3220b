package config

import (
	"errors"
	"fmt"
	"regexp"
	"time"
)

// Carriers are the outside services that carry messages: providers of short
// messages, for codes and for messages to many, and push services. What is not
// given is simulated in development mode; in production mode nothing goes there.
type Carriers struct {
	SmsProviders      map[string]string `name:"sms-provider" placeholder:"NAME=URL" help:"A gateway that short messages are handed to; may be repeated, and the first to fail loses to the others. See docs/operations.md for what it is sent and what it tells."`
	SmsSecrets        map[string]string `name:"sms-provider-secret" placeholder:"NAME=SECRET" help:"Signs what the provider is sent and what it tells; better given as an environment variable."`
	SmsWeights        map[string]int    `name:"sms-provider-weight" placeholder:"NAME=N" help:"The provider's share of all messages, against the others' weights; 1 where none is given."`
	SmsReceiptTimeout time.Duration     `name:"sms-receipt-timeout" default:"10m" help:"How long a provider may take to tell whether a short message arrived; then it counts as unknown, and goes to another provider where its class insists."`

	ApnsKey    string `name:"apns-key" type:"path" placeholder:"FILE" help:"The key for Apple's push service (.p8)."`
	ApnsKeyID  string `name:"apns-key-id" placeholder:"ID" help:"The key's ID."`
	ApnsTeamID string `name:"apns-team-id" placeholder:"ID" help:"The developer team's ID."`
	ApnsTopic  string `name:"apns-topic" placeholder:"BUNDLE" help:"The application's bundle ID."`
	ApnsURL    string `name:"apns-url" default:"https://api.push.apple.com" placeholder:"URL" help:"Where the service is reached."`

	HuaweiAppID    string `name:"huawei-app-id" placeholder:"ID" help:"The application at Huawei Push Kit."`
	HuaweiSecret   string `name:"huawei-secret" placeholder:"SECRET" help:"Its secret; better given as an environment variable."`
	HuaweiURL      string `name:"huawei-url" default:"https://push-api.cloud.huawei.com" placeholder:"URL" help:"Where the service is reached."`
	HuaweiTokenURL string `name:"huawei-token-url" default:"https://oauth-login.cloud.huawei.com/oauth2/v3/token" placeholder:"URL" help:"Where access tokens are got."`

	XiaomiPackage string `name:"xiaomi-package" placeholder:"NAME" help:"The application's package name at Xiaomi Push."`
	XiaomiSecret  string `name:"xiaomi-secret" placeholder:"SECRET" help:"Its secret; better given as an environment variable."`
	XiaomiURL     string `name:"xiaomi-url" default:"https://api.xmpush.xiaomi.com" placeholder:"URL" help:"Where the service is reached."`
}

var providerName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,29}$`)

// check refuses what is given by half.
func (c *Carriers) check() error {
	for name := range c.SmsProviders {
		if !providerName.MatchString(name) {
			return fmt.Errorf("--sms-provider %s: a name has small letters, digits and hyphens, 30 at most", name)
		}
		if c.SmsSecrets[name] == "" {
			return fmt.Errorf("--sms-provider %s needs --sms-provider-secret %s=…", name, name)
		}
	}
	for name := range c.SmsSecrets {
		if c.SmsProviders[name] == "" {
			return fmt.Errorf("--sms-provider-secret %s is of no --sms-provider", name)
		}
	}
	for name, weight := range c.SmsWeights {
		if c.SmsProviders[name] == "" || weight < 1 {
			return fmt.Errorf("--sms-provider-weight %s must be at least 1, and of a --sms-provider", name)
		}
	}
	if c.SmsReceiptTimeout != 0 && c.SmsReceiptTimeout < time.Second {
		return errors.New("--sms-receipt-timeout must be at least a second")
	}
	return together(map[string][]string{
		"--apns-key, --apns-key-id, --apns-team-id and --apns-topic": {c.ApnsKey, c.ApnsKeyID, c.ApnsTeamID, c.ApnsTopic},
		"--huawei-app-id and --huawei-secret":                        {c.HuaweiAppID, c.HuaweiSecret},
		"--xiaomi-package and --xiaomi-secret":                       {c.XiaomiPackage, c.XiaomiSecret},
	})
}

// together refuses flags of which some are given and some are not.
func together(groups map[string][]string) error {
	for name, given := range groups {
		all, any := true, false
		for _, value := range given {
			all, any = all && value != "", any || value != ""
		}
		if any && !all {
			return fmt.Errorf("%s belong together", name)
		}
	}
	return nil
}
