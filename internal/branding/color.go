package branding

import (
	"encoding/hex"
	"math"
	"strings"
)

// minContrast is level AA for text of any size (WCAG 2.1 §1.4.3).
const minContrast = 4.5

// parseColor reads #rrggbb.
func parseColor(s string) (rgb [3]byte, ok bool) {
	digits, hash := strings.CutPrefix(s, "#")
	if !hash || len(digits) != 2*len(rgb) {
		return rgb, false
	}
	_, err := hex.Decode(rgb[:], []byte(digits))
	return rgb, err == nil
}

// contrast is the ratio of two colors, 1 to 21 (WCAG 2.1, "contrast ratio").
func contrast(a, b string) float64 {
	light, dark := luminance(a), luminance(b)
	if light < dark {
		light, dark = dark, light
	}
	return (light + 0.05) / (dark + 0.05)
}

// luminance is 0 for black and 1 for white (WCAG 2.1, "relative luminance").
func luminance(color string) float64 {
	rgb, _ := parseColor(color)
	sum := 0.0
	for i, weight := range [...]float64{0.2126, 0.7152, 0.0722} {
		c := float64(rgb[i]) / math.MaxUint8
		if c <= 0.03928 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}

// readable is the first of the colors with enough contrast on the ground, or
// else black or white: one of them always has it.
func readable(ground string, colors ...string) string {
	for _, c := range append(colors, "#ffffff") {
		if contrast(ground, c) >= minContrast {
			return c
		}
	}
	return "#000000"
}

// blend is three quarters of a color on the ground.
func blend(color, ground string) string {
	rgb, _ := parseColor(color)
	under, _ := parseColor(ground)
	for i := range rgb {
		rgb[i] = byte((3*int(rgb[i]) + int(under[i])) / 4)
	}
	return "#" + hex.EncodeToString(rgb[:])
}

// isDark tells a ground on which white reads better than black.
func isDark(ground string) bool {
	return contrast(ground, "#ffffff") > contrast(ground, "#000000")
}
