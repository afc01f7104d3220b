package community

import (
	"context"

	"github.com/citizencloud/citizencloud/subgraphs/community/activity"
	"github.com/citizencloud/citizencloud/subgraphs/community/executable"
	"github.com/citizencloud/citizencloud/subgraphs/community/feedback"
)

// casePayload wraps what a mutation gave.
func (r *Resolver) casePayload(ctx context.Context) func(*feedback.FeedbackCase, error) (*executable.FeedbackCasePayload, error) {
	return func(changed *feedback.FeedbackCase, err error) (*executable.FeedbackCasePayload, error) {
		if err != nil {
			return nil, err
		}
		r.load(ctx).ExpectCases(1)
		return &executable.FeedbackCasePayload{FeedbackCase: *changed}, nil
	}
}

// activityPayload wraps what a mutation gave.
func (r *Resolver) activityPayload(ctx context.Context) func(*activity.Activity, error) (*executable.ActivityPayload, error) {
	return func(changed *activity.Activity, err error) (*executable.ActivityPayload, error) {
		if err != nil {
			return nil, err
		}
		r.load(ctx).ExpectActivities(1)
		return &executable.ActivityPayload{Activity: *changed}, nil
	}
}

// registrationPayload wraps what a mutation gave.
func (r *Resolver) registrationPayload(ctx context.Context) func(*activity.Registration, error) (*executable.RegistrationPayload, error) {
	return func(changed *activity.Registration, err error) (*executable.RegistrationPayload, error) {
		if err != nil {
			return nil, err
		}
		r.load(ctx).ExpectRegistrations(1)
		return &executable.RegistrationPayload{Registration: *changed}, nil
	}
}

// countOf counts what is there.
func countOf[T any](found []*T) (n int) {
	for _, one := range found {
		if one != nil {
			n++
		}
	}
	return n
}
