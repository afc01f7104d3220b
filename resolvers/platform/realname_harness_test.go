package platform_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"testing"
	"time"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/resolvers/platform"
	"github.com/citizencloud/citizencloud/subgraphs/platform/limit"
	"github.com/citizencloud/citizencloud/subgraphs/platform/realname"
	"github.com/citizencloud/citizencloud/subgraphs/platform/realname/document"
	"github.com/citizencloud/citizencloud/subgraphs/platform/thirdparty"
)

// residentID is a number of somebody born in 1990, with the sequence.
func residentID(sequence int) string {
	digits := fmt.Sprintf("51010419900307%03d", sequence)
	return digits + string(document.CheckDigit(digits))
}

const verificationFields = `id method state nameMasked numberMasked level simulated failure message nextSteps reason previousId version allowedActions examinerPassed examinerNote
	history { action to actorName note } slot { id remaining }`

// verification is what the operations answer of one.
type verification struct {
	ID, Method, State, Level, Failure, Message, Reason, PreviousID string
	NameMasked, NumberMasked, ExaminerNote                         *string
	ExaminerPassed                                                 *bool
	Simulated                                                      bool
	NextSteps, AllowedActions                                      []string
	Version                                                        int
	History                                                        []struct{ Action, To, ActorName, Note string }
	Slot                                                           *struct {
		ID        string
		Remaining int
	}
}

const (
	consentTo      = `mutation($i: ConsentToRealNameInput!) { done: consentToRealName(input: $i) { consent { id terms purpose givenAt } } }`
	byRegister     = `mutation($i: VerifyByRegisterInput!) { done: verifyByRegister(input: $i) { verification { ` + verificationFields + ` } } }`
	beginFace      = `mutation($i: BeginFaceVerificationInput!) { done: beginFaceVerification(input: $i) { livenessToken expiresAt verification { ` + verificationFields + ` } } }`
	completeFace   = `mutation($i: CompleteFaceVerificationInput!) { done: completeFaceVerification(input: $i) { verification { ` + verificationFields + ` } } }`
	certify        = `mutation($i: VerifyByThirdPartyInput!) { done: verifyByThirdParty(input: $i) { verification { ` + verificationFields + ` } } }`
	applyOffline   = `mutation($i: ApplyOfflineVerificationInput!) { done: applyOfflineVerification(input: $i) { verification { ` + verificationFields + ` } } }`
	bringMaterials = `mutation($i: VerificationMaterialsInput!) { done: submitVerificationMaterials(input: $i) { verification { ` + verificationFields + ` } } }`
	takeBack       = `mutation($i: WithdrawVerificationInput!) { done: withdrawVerification(input: $i) { verification { ` + verificationFields + ` } } }`
	fileOffline    = `mutation($i: FileOfflineVerificationInput!) { done: fileOfflineVerification(input: $i) { verification { ` + verificationFields + ` } } }`
	examine        = `mutation($i: ExamineVerificationInput!) { done: examineVerification(input: $i) { verification { ` + verificationFields + ` } } }`
	decide         = `mutation($i: DecideVerificationInput!) { done: decideVerification(input: $i) { verification { ` + verificationFields + ` } } }`
	realNameOfSelf = `{ viewer { assuranceLevel realName { nameMasked numberMasked level method simulated version validUntil } realNameConsents { id terms withdrawnAt } identityVerifications { edges { node { ` + verificationFields + ` } } } } }`
)

// result is what each of the mutations answers.
type result struct {
	Verification  verification
	LivenessToken string
	Consent       struct{ ID, Terms, Purpose string }
}

// input encodes the variables of a mutation.
func encodedInput(in any) string {
	text, _ := json.Marshal(map[string]any{"i": in})
	return string(text)
}

// done runs the mutation; errors end the test.
func (w *world) done(p *access.Principal, mutation string, in any) result {
	w.t.Helper()
	return get[struct{ Done result }](w, p, mutation, encodedInput(in)).Done
}

// refusal runs the mutation and gives its code.
func (w *world) refusal(p *access.Principal, mutation string, in any) string {
	w.t.Helper()
	return w.ask(p, mutation, encodedInput(in)).code()
}

// consent agrees to the present terms of the way.
func (w *world) consent(p *access.Principal, method realname.VerificationMethod) string {
	w.t.Helper()
	terms, err := realname.TermsOf(method)
	w.must(err)
	return w.done(p, consentTo, object{"method": method, "termsVersion": terms.Version}).Consent.ID
}

type object = map[string]any

func claimOf(number, name string) object {
	return object{"documentKind": "RESIDENT_ID", "documentNumber": number, "fullName": name}
}

// withNames opens WeChat and Alipay, and sets no limits on attempts.
func withNames(t *testing.T, change ...func(*realname.Settings)) func(*platform.Deps) {
	others := withOthers(t)
	return func(d *platform.Deps) {
		others(d)
		settings := realname.Usual
		many := limit.Rule{Times: 1000, Within: time.Hour}
		settings.Account, settings.Identity, settings.Network = many, many, many
		for _, c := range change {
			c(&settings)
		}
		d.RealName = &settings
		d.Others = certifiers(t, d.Now)
	}
}

func certifiers(t *testing.T, now func() time.Time) thirdparty.Providers {
	simulator, err := thirdparty.NewSimulator()
	if err != nil {
		t.Fatal(err)
	}
	others, err := simulator.Providers(now)
	if err != nil {
		t.Fatal(err)
	}
	return others
}

// portrait is a picture that the simulator takes for the person's; another size is judged otherwise.
func portrait(width, height int, n uint8) []byte {
	img := image.NewGray(image.Rect(0, 0, width, height))
	img.Set(1, 1, color.Gray{Y: n})
	var out bytes.Buffer
	_ = png.Encode(&out, img)
	return out.Bytes()
}

const phoneID = "device-of-the-test"

// faced goes the way of the face, with the picture.
func (w *world) faced(p *access.Principal, number string, picture []byte) verification {
	w.t.Helper()
	begun := w.done(p, beginFace, object{"consentId": w.consent(p, realname.ByFace), "identity": claimOf(number, "王小明"), "deviceId": phoneID})
	if begun.LivenessToken == "" {
		return begun.Verification
	}
	return w.done(p, completeFace, object{"verificationId": begun.Verification.ID, "livenessToken": begun.LivenessToken, "deviceId": phoneID,
		"picture": w.upload(p, picture).Receipt}).Verification
}

// level is the account's.
func (w *world) level(p *access.Principal) (level string) {
	w.t.Helper()
	w.must(w.database.Owner.GetContext(w.t.Context(), &level, `SELECT assurance_level FROM platform.citizen WHERE id = $1`, p.ID))
	return level
}
