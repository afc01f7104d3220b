package platform

import (
	"math"

	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/subgraphs/platform/executable"
	"github.com/citizencloud/citizencloud/subgraphs/platform/place"
)

func placesOfArea(page place.Page) *executable.PlaceConnection {
	return placeConnection(page, (*place.Place).AreaKey)
}

func placesByDistance(page place.Page, err error) (*executable.PlaceConnection, error) {
	if err != nil {
		return nil, err
	}
	return placeConnection(page, (*place.Place).Key), nil
}

func placeConnection(page place.Page, key func(*place.Place) []string) *executable.PlaceConnection {
	edges := make([]*executable.PlaceEdge, len(page.Places))
	for i, p := range page.Places {
		edges[i] = &executable.PlaceEdge{Cursor: keyset.Cursor(key(p)...), Node: *p}
		if p.DistanceMetres != nil {
			metres := int(math.Round(*p.DistanceMetres))
			edges[i].DistanceMetres = &metres
		}
	}
	info := page.Info
	if info == nil {
		info = &keyset.PageInfo{}
	}
	return &executable.PlaceConnection{Edges: edges, PageInfo: *info}
}
