package platform

import (
	"context"
	"fmt"

	"github.com/99designs/gqlgen/graphql"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/subgraphs/platform/area"
	"github.com/citizencloud/citizencloud/subgraphs/platform/notification"
	"github.com/citizencloud/citizencloud/subgraphs/platform/orgunit"
)

// fieldOf gives a field of all objects of a list by one load: key gives an
// object's key, the zero K for none. An object may be nil: an entity that was
// not found. What has no key, or is not found, is the zero V.
func fieldOf[P any, K comparable, V any](ctx context.Context, objs []*P, load func(context.Context, []K) ([]V, error), key func(*P) K) ([]V, error) {
	var none K
	values := make([]V, len(objs))
	keys, places := make([]K, 0, len(objs)), make([]int, 0, len(objs))
	for i, obj := range objs {
		if obj == nil {
			continue
		}
		if k := key(obj); k != none {
			keys, places = append(keys, k), append(places, i)
		}
	}
	if len(keys) == 0 {
		return values, nil
	}
	found, err := load(ctx, keys)
	if err != nil {
		return nil, err
	}
	for i, place := range places {
		values[place] = found[i]
	}
	return values, nil
}

// areaOf gives the area of the code; nil for "".
func (r *Resolver) areaOf(ctx context.Context, code string) (*area.Area, error) {
	if code == "" {
		return nil, nil
	}
	tree, err := r.areas.Tree(ctx)
	if err != nil {
		return nil, err
	}
	if a := tree.ByCode(code); a != nil {
		return a, nil
	}
	return nil, fmt.Errorf("platform: area %s is missing", code)
}

// unitsOf gives the unit of each object; nil for the ID "".
func unitsOf[P any](ctx context.Context, r *Resolver, objs []*P, id func(*P) string) ([]*orgunit.OrgUnit, error) {
	return fieldOf(ctx, objs, r.load(ctx).Unit.LoadMany, id)
}

// connections gives a connection of all objects of a list by one load.
func connections[P any, K comparable, V, C any](ctx context.Context, objs []*P, load func(context.Context, []K) ([]V, error),
	asking func(*P) (K, error), connection func(V) *C) ([]*C, error) {
	keys := make(map[*P]K, len(objs))
	for _, obj := range objs {
		if obj == nil {
			continue
		}
		k, err := asking(obj)
		if err != nil {
			return nil, err
		}
		keys[obj] = k
	}
	found, err := fieldOf(ctx, objs, load, func(obj *P) K { return keys[obj] })
	if err != nil {
		return nil, err
	}
	list := make([]*C, len(objs))
	for i, obj := range objs {
		if obj != nil {
			list[i] = connection(found[i])
		}
	}
	return list, nil
}

// unreadOf counts the unread notifications of each object: the caller's own,
// others are refused. An object that has just signed in asks by itself.
func unreadOf[P any](ctx context.Context, r *Resolver, objs []*P, whose func(*P) (notification.Recipient, *access.Principal)) ([]int, error) {
	if len(objs) == 1 && objs[0] != nil {
		if _, asking := whose(objs[0]); asking != nil {
			ctx = access.With(ctx, asking)
		}
	}
	refusals, refused := make(graphql.BatchErrorList, len(objs)), false
	counts, err := fieldOf(ctx, objs, r.load(ctx).Unread.LoadMany, func(obj *P) notification.Recipient {
		to, _ := whose(obj)
		return to
	})
	if err != nil {
		return nil, err
	}
	for i, obj := range objs {
		if obj == nil {
			continue
		}
		to, _ := whose(obj)
		if refusals[i] = notification.OwnOnly(ctx, to); refusals[i] != nil {
			refused = true
		}
	}
	if refused {
		return counts, refusals
	}
	return counts, nil
}
