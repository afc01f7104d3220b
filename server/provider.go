package main

import (
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/citizencloud/citizencloud/resolvers/platform"
	"github.com/citizencloud/citizencloud/server/config"
	"github.com/citizencloud/citizencloud/subgraphs/platform/file"
	"github.com/citizencloud/citizencloud/subgraphs/platform/realname"
	"github.com/citizencloud/citizencloud/subgraphs/platform/realname/face"
	"github.com/citizencloud/citizencloud/subgraphs/platform/realname/register"
	"github.com/citizencloud/citizencloud/subgraphs/platform/sms"
	"github.com/citizencloud/citizencloud/subgraphs/platform/thirdparty"
)

// providers are the outside services that citizens sign in by.
type providers struct {
	sms    sms.Provider // nil: simulated in development mode, nobody in production mode
	others thirdparty.Providers
	// carriers carry messages out of the platform.
	carriers platform.Carriers
	// scanner looks for malware in files; nil: nobody does.
	scanner file.Scanner
	// simulatePayments plays the payment channels in production mode too.
	simulatePayments bool
	// who people are; nil: simulated in development mode, nobody in production mode
	register register.Register
	face     face.Provider
	realName *realname.Settings
}

// newProviders makes those that are configured. What is not is simulated in
// development mode; in production mode the log says that it is not open.
func newProviders(c config.Providers, development bool, log *slog.Logger) (p providers, err error) {
	if development {
		simulator, err := thirdparty.NewSimulator()
		if err != nil {
			return p, err
		}
		if p.others, err = simulator.Providers(time.Now); err != nil {
			return p, err
		}
	} else {
		p.others = thirdparty.Providers{}
	}
	if p.simulatePayments = c.SimulatePayments; p.simulatePayments && !development {
		log.Warn("payment channels are simulated (--simulate-payments): no money moves")
	}
	if c.SmsURL != "" {
		if p.sms, err = sms.NewGateway(c.SmsURL, c.SmsSecret, time.Now); err != nil {
			return p, fmt.Errorf("--sms-url: %w", err)
		}
	} else if !development && len(c.SmsProviders) == 0 {
		log.Warn("no SMS gateway is configured (--sms-provider, --sms-url): no codes are sent, citizens cannot sign in by them")
	}
	if p.carriers, err = newCarriers(c.Carriers); err != nil {
		return p, err
	}
	if c.ClamdURL != "" {
		if p.scanner, err = file.OpenClamd(c.ClamdURL); err != nil {
			return p, fmt.Errorf("--clamd-url: %w", err)
		}
	}
	if err := p.judges(c.RealName, development, log); err != nil {
		return p, err
	}
	if c.WechatAppID != "" {
		if p.others[thirdparty.WeChat], err = thirdparty.NewWeChat(thirdparty.WeChatSettings{AppID: c.WechatAppID, Secret: c.WechatSecret, URL: c.WechatURL}); err != nil {
			return p, fmt.Errorf("--wechat-app-id: %w", err)
		}
	}
	if c.AlipayAppID != "" {
		settings := thirdparty.AlipaySettings{AppID: c.AlipayAppID, URL: c.AlipayURL, Now: time.Now}
		private, err := os.ReadFile(c.AlipayKey)
		if err != nil {
			return p, fmt.Errorf("--alipay-key: %w", err)
		}
		if settings.Key, err = thirdparty.ParsePrivateKey(private); err != nil {
			return p, fmt.Errorf("--alipay-key: %w", err)
		}
		public, err := os.ReadFile(c.AlipayPublicKey)
		if err != nil {
			return p, fmt.Errorf("--alipay-public-key: %w", err)
		}
		if settings.Public, err = thirdparty.ParsePublicKey(public); err != nil {
			return p, fmt.Errorf("--alipay-public-key: %w", err)
		}
		if p.others[thirdparty.Alipay], err = thirdparty.NewAlipay(settings); err != nil {
			return p, fmt.Errorf("--alipay-app-id: %w", err)
		}
	}
	return p, nil
}
