package realname

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/subgraphs/platform/file"
	"github.com/citizencloud/citizencloud/subgraphs/platform/realname/face"
)

// BeginFaceVerificationInput begins a face session.
type BeginFaceVerificationInput struct {
	ConsentID string
	Identity  IdentityClaim
	DeviceID  string
}

// FaceSession is a session that the client takes the picture in.
type FaceSession struct {
	Verification  *IdentityVerification
	LivenessToken *string // counts once, on this account and device; nil when it failed before
	ExpiresAt     *time.Time
}

// maxFaceTime is the longest that a token counts, whatever the provider says.
const maxFaceTime = 15 * time.Minute

// BeginFace compares the signed-in citizen's name and number with the
// population register, and begins a face session with a one-time token.
func (s *Service) BeginFace(ctx context.Context, in BeginFaceVerificationInput) (*FaceSession, error) {
	device, err := s.device(in.DeviceID)
	if err != nil {
		return nil, err
	}
	a, err := s.admit(ctx, ByFace, in.ConsentID, in.Identity)
	if err != nil {
		return nil, err
	}
	result, failure, err := s.compare(ctx, a.document)
	if err != nil {
		return nil, err
	}
	if failure != "" {
		v, err := s.judged(ctx, a, ByFace, func(v *IdentityVerification) VerificationFailure {
			v.Provider, v.Reference, v.Simulated = "register", result.Reference, result.Simulated
			return failure
		})
		return &FaceSession{Verification: v}, err
	}
	begun, err := s.Face.Begin(ctx, a.document, s.binding(a.principal.ID, device))
	if err != nil {
		return nil, fault.New(fault.Unavailable, "人脸核验暂时无法使用，请稍后重试，或改用第三方账户、线下核验").Because(err)
	}
	until := s.Now().Add(maxFaceTime)
	if begun.ExpiresAt.Before(until) {
		until = begun.ExpiresAt
	}
	session := &FaceSession{LivenessToken: &begun.Token, ExpiresAt: &until}
	err = s.write(ctx, func(tx *sqlx.Tx) error {
		v, err := s.begun(ctx, tx, a, ByFace, a.principal.ID)
		if err != nil {
			return err
		}
		v.Provider, v.Reference, v.Simulated = "face", begun.Reference, begun.Simulated || result.Simulated
		if err := s.create(ctx, tx, v, a.principal); err != nil {
			return err
		}
		session.Verification = v
		return insertLiveness(ctx, tx, v.ID, liveness{TokenDigest: digest(begun.Token), DeviceDigest: device, Reference: begun.Reference, ExpiresAt: until})
	})
	if err != nil {
		return nil, err
	}
	session.Verification, err = s.opened(session.Verification)
	return session, err
}

// device is the digest of what the client calls itself.
func (s *Service) device(id string) (string, error) {
	if len(id) < 8 || len(id) > 200 {
		return "", fault.Invalid("input.deviceId", "设备标识须为 8 到 200 个字符")
	}
	mac := hmac.New(sha256.New, s.Keys.Derive("realname device"))
	mac.Write([]byte(id))
	return hex.EncodeToString(mac.Sum(nil)), nil
}

// binding names account and device to the provider, which learns no IDs of ours.
func (s *Service) binding(citizenID, device string) face.Binding {
	mac := hmac.New(sha256.New, s.Keys.Derive("realname account"))
	mac.Write([]byte(citizenID))
	return face.Binding{Account: hex.EncodeToString(mac.Sum(nil)), Device: device}
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// CompleteFaceVerificationInput brings the picture of a face session.
type CompleteFaceVerificationInput struct {
	VerificationID string
	LivenessToken  string
	DeviceID       string
	Picture        string // the receipt of its upload
}

var (
	errToken   = fault.Invalid("input.livenessToken", "活体凭证无效、已使用或已过期，请重新开始人脸核验")
	errMissing = fault.New(fault.NotFound, "未找到该核验，或您无权办理")
)

// CompleteFace has the provider judge the picture that the signed-in citizen
// took with the token. The token is used up before anybody is asked; the
// picture is erased after the decision.
func (s *Service) CompleteFace(ctx context.Context, in CompleteFaceVerificationInput) (*IdentityVerification, error) {
	p, err := access.RequireCitizen(ctx)
	if err != nil {
		return nil, err
	}
	device, err := s.device(in.DeviceID)
	if err != nil {
		return nil, err
	}
	if !input.ID(in.VerificationID) {
		return nil, errMissing
	}
	picture, err := s.receipt(ctx, "input.picture", in.Picture, p, file.Picture)
	if err != nil {
		return nil, err
	}
	content, err := s.Files.Content(asSystem(ctx), picture)
	if err != nil {
		return nil, err
	}
	if err := s.useToken(ctx, in, device, picture, p); err != nil {
		return nil, err
	}
	found, err := s.Face.Judge(ctx, in.LivenessToken, s.binding(p.ID, device), face.Picture{MediaType: picture.MediaType, Content: content})
	failure := VerificationFailure("")
	switch {
	case errors.Is(err, face.ErrToken):
		failure = TimedOut
	case err != nil:
		s.Log.WarnContext(ctx, "the face provider gave no judgement", "verification", in.VerificationID, "error", err)
		failure = ProviderAway
	case !found.Live:
		failure = NotLive
	case !found.Same:
		failure = FaceMismatch
	}
	// The judgement is written even when the client has left.
	return s.faceJudged(context.WithoutCancel(ctx), in.VerificationID, failure, found)
}

// useToken checks the token against account, device, time and use, and uses it
// up: the verification is with the provider from then on.
func (s *Service) useToken(ctx context.Context, in CompleteFaceVerificationInput, device string, picture *file.FileAsset, p *access.Principal) error {
	return s.write(ctx, func(tx *sqlx.Tx) error {
		v, err := s.take(ctx, tx, in.VerificationID)
		if err != nil {
			return err
		}
		if v == nil || v.CitizenID != p.ID || v.Method != ByFace {
			return errMissing
		}
		if v.State != Created {
			return fault.New(fault.Conflict, "该核验已结束或正在进行，请重新开始")
		}
		l, err := livenessOf(ctx, tx, v.ID)
		if err != nil {
			return err
		}
		now := s.Now()
		if l == nil || l.UsedAt != nil || !now.Before(l.ExpiresAt) || !hmac.Equal([]byte(l.TokenDigest), []byte(digest(in.LivenessToken))) || !hmac.Equal([]byte(l.DeviceDigest), []byte(device)) {
			return errToken
		}
		if err := s.Citizens.Standing(ctx, tx, p.ID); err != nil {
			return err
		}
		if err := useLiveness(ctx, tx, v.ID, now); err != nil {
			return err
		}
		if err := s.attach(ctx, tx, v.ID, "FACE", picture); err != nil {
			return err
		}
		return s.move(ctx, tx, v, change{to: Processing, action: Judge, by: p})
	})
}

func (s *Service) faceJudged(ctx context.Context, id string, failure VerificationFailure, found face.Judgement) (v *IdentityVerification, err error) {
	err = s.write(ctx, func(tx *sqlx.Tx) error {
		if v, err = s.take(ctx, tx, id); err != nil {
			return err
		}
		if v == nil || v.State != Processing {
			return fmt.Errorf("realname: a verification that is judged is not processing")
		}
		v.Simulated = v.Simulated || found.Simulated
		if found.Reference != "" && found.Reference != v.Reference && failure == "" {
			failure = ProviderAway // a judgement of another session is none
			s.Log.ErrorContext(ctx, "the face provider judged another session", "verification", id)
		}
		d, err := s.claim(v)
		if err != nil {
			return err
		}
		return s.conclude(ctx, tx, v, d, failure, change{action: Decide, by: system})
	})
	if err != nil {
		return nil, err
	}
	s.wake()
	return v, nil
}
