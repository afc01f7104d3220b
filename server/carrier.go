package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/citizencloud/citizencloud/resolvers/platform"
	"github.com/citizencloud/citizencloud/server/config"
	"github.com/citizencloud/citizencloud/subgraphs/platform/carrier"
)

// newCarriers makes those who carry messages that are configured.
func newCarriers(c config.Carriers) (platform.Carriers, error) {
	made := platform.Carriers{Pushes: map[string]carrier.Service{}, ReceiptTimeout: c.SmsReceiptTimeout}
	for _, name := range slices.Sorted(maps.Keys(c.SmsProviders)) {
		gateway, err := carrier.NewGateway(name, c.SmsProviders[name], c.SmsSecrets[name], time.Now)
		if err != nil {
			return made, fmt.Errorf("--sms-provider: %w", err)
		}
		made.Gateways = append(made.Gateways, gateway)
		made.Texts = append(made.Texts, carrier.Share{Provider: gateway, Weight: max(1, c.SmsWeights[name])})
	}
	if c.ApnsKey != "" {
		p8, err := os.ReadFile(c.ApnsKey)
		if err != nil {
			return made, fmt.Errorf("--apns-key: %w", err)
		}
		authorization, err := carrier.AppleKey(p8, c.ApnsKeyID, c.ApnsTeamID, time.Now)
		if err != nil {
			return made, fmt.Errorf("--apns-key: %w", err)
		}
		made.Pushes[carrier.APNs] = carrier.Service{URL: c.ApnsURL, Authorization: authorization, App: c.ApnsTopic}
	}
	if c.HuaweiAppID != "" {
		made.Pushes[carrier.Huawei] = carrier.Service{URL: c.HuaweiURL, App: c.HuaweiAppID,
			Authorization: carrier.HuaweiClient(c.HuaweiTokenURL, c.HuaweiAppID, c.HuaweiSecret, time.Now)}
	}
	if c.XiaomiPackage != "" {
		made.Pushes[carrier.Xiaomi] = carrier.Service{URL: c.XiaomiURL, App: c.XiaomiPackage, Authorization: carrier.Fixed("key=" + c.XiaomiSecret)}
	}
	return made, nil
}
