//go:build !race

package growthtest

const detector = false
