// Package ui renders the pages: their frame, words, numbers and times in German and
// English, and the addresses of links.
//
//	ui.go       what all pages share, and where they are mounted
//	router.go   what a package of pages registers its handlers with
//	area.go     the navigation
//	set.go      the templates of one package of pages
//	view.go     what a template is given
//	words.go    the functions of templates
//	format.go   numbers, sizes and times as a language writes them
//	locale.go   the language and the time zone of a person
//	tenant.go   tenants in addresses
//	texts.go    the words that all pages share
//
// Nothing here knows what a page is about.
package ui
