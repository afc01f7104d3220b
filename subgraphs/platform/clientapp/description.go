package clientapp

import (
	"regexp"
	"slices"
	"strings"

	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
)

// ClientAppDescription is what an applicant says of an application.
type ClientAppDescription struct {
	Name          string
	Summary       string
	Homepage      *string
	Kind          Kind
	Audience      Audience
	RedirectURIs  []string
	LogoutURIs    []string
	Scopes        []Scope
	Operations    []string
	DailyQuota    int
	RatePerSecond int
}

// fill checks the description and puts it into the application.
func (s *Service) fill(a *ClientApp, d ClientAppDescription) (err error) {
	if a.Name, err = input.Text("input.name", "名称", d.Name, 2, 40); err != nil {
		return err
	}
	if a.Summary, err = input.Text("input.summary", "用途说明", d.Summary, 5, 200); err != nil {
		return err
	}
	a.Homepage = ""
	if d.Homepage != nil && *d.Homepage != "" {
		if why := wrong(KindWeb, *d.Homepage); why != "" || !strings.HasPrefix(*d.Homepage, "https://") || len(*d.Homepage) > 200 {
			return fault.Invalid("input.homepage", "主页须为 https 地址")
		}
		a.Homepage = *d.Homepage
	}
	if !slices.Contains([]Kind{KindWeb, KindBrowser, KindNative, KindDevice}, d.Kind) {
		return fault.Invalid("input.kind", "没有这一类型")
	}
	if !slices.Contains([]Audience{ForCitizens, ForWorkers, ForEverybody}, d.Audience) {
		return fault.Invalid("input.audience", "没有这一使用对象")
	}
	a.Kind, a.Audience = d.Kind, d.Audience
	if a.RedirectURIs, err = addresses("input.redirectUris", d.Kind, d.RedirectURIs); err != nil {
		return err
	}
	if a.LogoutURIs, err = addresses("input.logoutUris", d.Kind, d.LogoutURIs); err != nil {
		return err
	}
	if (len(a.RedirectURIs) == 0) != (d.Kind == KindDevice) {
		return fault.Invalid("input.redirectUris", "除设备应用外，请填写至少一个登录回调地址")
	}
	if a.Asked, err = scopes("input.scopes", d.Scopes); err != nil {
		return err
	}
	if a.AskedOperations, err = s.operations("input.operations", d.Operations); err != nil {
		return err
	}
	if d.DailyQuota < 1 || d.DailyQuota > 100_000_000 {
		return fault.Invalid("input.dailyQuota", "每日调用量须在 1 到 1 亿之间")
	}
	if d.RatePerSecond < 1 || d.RatePerSecond > 10_000 {
		return fault.Invalid("input.ratePerSecond", "每秒调用量须在 1 到 10000 之间")
	}
	a.DailyQuota, a.RatePerSecond = d.DailyQuota, d.RatePerSecond
	return nil
}

// scopes puts scopes into the order in which people are asked; openid is always one.
func scopes(field string, asked []Scope) ([]string, error) {
	for _, scope := range asked {
		if !slices.Contains(Scopes, scope) {
			return nil, fault.Invalid(field, "没有这一授权范围")
		}
	}
	clean := []string{}
	for _, scope := range Scopes {
		if scope == ScopeOpenID || slices.Contains(asked, scope) {
			clean = append(clean, string(scope))
		}
	}
	return clean, nil
}

var operationName = regexp.MustCompile(`^[A-Z][A-Za-z0-9]{0,79}$`)

func (s *Service) operations(field string, asked []string) ([]string, error) {
	if len(asked) > 200 {
		return nil, fault.Invalid(field, "开放操作最多 200 个")
	}
	clean := slices.Clone(asked)
	slices.Sort(clean)
	clean = slices.Compact(clean)
	for _, name := range clean {
		if !operationName.MatchString(name) || s.Operations != nil && !slices.Contains(s.Operations, name) {
			return nil, fault.Invalid(field, "没有名为 %.80q 的开放操作", name)
		}
	}
	if clean == nil {
		clean = []string{}
	}
	return clean, nil
}
