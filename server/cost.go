package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/citizencloud/citizencloud/clients"
)

// everyOther stands in --max-cost for the clients that it does not name.
const everyOther = "*"

// standardCosts are what operations may cost in production mode where no flag
// says otherwise: the dearest of our own is far below (a test), and still no
// client can ask for a city at once.
var standardCosts = map[string]float64{clients.Partner: 2_000, everyOther: 10_000}

// clientCosts are the limits of serve: the standard ones, in development mode
// none, and before both those that the flag gives. A limit of 0 is none.
func clientCosts(flag map[string]float64, development bool) (map[string]float64, error) {
	limits := map[string]float64{}
	if !development {
		for client, most := range standardCosts {
			limits[client] = most
		}
	}
	for client, most := range flag {
		if client != everyOther && !slices.Contains(clients.Names(), client) {
			return nil, fmt.Errorf("--max-cost names the client %q; there are %s, and %s for every other", client, strings.Join(clients.Names(), ", "), everyOther)
		}
		if most < 0 {
			return nil, fmt.Errorf("--max-cost %s=%g: a cost below zero", client, most)
		}
		limits[client] = most
	}
	return limits, nil
}

// maxCost finds a client's limit; 0 is none. Nil where there are no limits at all.
func maxCost(limits map[string]float64) func(client string) float64 {
	for _, most := range limits {
		if most > 0 {
			return func(client string) float64 {
				if most, named := limits[client]; named {
					return most
				}
				return limits[everyOther]
			}
		}
	}
	return nil
}
