package compose

import (
	"bufio"
	"mime"
	"os"
	"strings"
	"testing"
)

// endings are all that the table knows.
const endings = `
	pdf doc dot docx dotx docm dotm xls xlt xlsx xlsm xlsb xltx xltm ppt pps pptx ppsx pptm ppsm potx potm rtf wps wks wpd hwp pages numbers mdb
	accdb mpp one xps oxps vsd vst vss key pub vsdx vstx hwpx odt ods odp odg odf odb odc odi odm ott ots otp otg sxw sxc sxi gnumeric abw eml
	p7m p7c p7s p10 p8 pfx p12 cer der crt crl sig asc pgp gpg msg p7b pem txt text srt log conf ini cfg csv tsv md markdown html htm xhtml xht
	xml xsd xsl xslt dtd json ics ifb vcf vcard css js mjs sql tex latex bib vtt atom rdf ttl geojson diff patch yaml yml toml ovpn edi edifact
	x12 rss dwg dxf dwf step stp iges igs stl obj 3mf ifc kml kmz shp dbf gpx dta sav zip gz tgz tar xz 7z rar zst cab iso dmg jar deb rpm apk
	msi bz2 lz jpg jpeg jpe jfif png gif bmp tif tiff webp svg svgz heic heif avif ico psd eps ps ai jp2 jxl emf wmf apng djvu djv mp3 m4a aac
	ogg oga opus flac wma aif aiff mp4 m4v mov qt avi wmv mkv webm mpg mpeg mpe ogv flv wav mid midi amr 3gp 3g2 epub azw3 woff woff2 ttf otf
	eot chm mobi pkpass sh bat exe dll bin swf torrent
`

// deviations are the types that differ from Debian's, which are those of IANA and a few
// more, or that Debian has not.
func deviations() map[string]string {
	return map[string]string{
		// What offices send, not what programmers do: Word's template is no graph, Keynote's slides are
		// no PGP key, Publisher's page is no Exstream package.
		"dot": "application/msword",
		"key": "application/vnd.apple.keynote",
		"pub": "application/vnd.ms-publisher",
		// A certificate for whomever, not one of an authority that a mail program would trust.
		"crt": "application/pkix-cert",
		// A chain (RFC 8555) holds certificates alone: a PEM file may be a key or a request.
		"pem": "application/x-pem-file",
		// The type that programs for Windows and macOS know.
		"tgz": "application/gzip",
		"wav": "audio/wav",
		"mid": "audio/midi",
		"rss": "application/rss+xml",
		// Debian has none.
		"midi": "audio/midi", "3gp": "video/3gpp", "3g2": "video/3gpp2", "bz2": "application/x-bzip2", "lz": "application/x-lzip",
		"accdb": "application/msaccess", "vsdx": "application/vnd.ms-visio.drawing", "vstx": "application/vnd.ms-visio.template",
		"hwpx": "application/hwp+zip", "mobi": "application/x-mobipocket-ebook", "pkpass": "application/vnd.apple.pkpass",
		"msg": "application/vnd.ms-outlook", "p7b": "application/x-pkcs7-certificates", "der": "application/pkix-cert",
		"gpg": "application/pgp-encrypted", "xsd": "application/xml", "gpx": "application/gpx+xml",
		"log": "text/plain", "conf": "text/plain", "ini": "text/plain", "cfg": "text/plain",
		"yaml": "application/yaml", "yml": "application/yaml", "toml": "application/toml", // RFC 9512
		"edi": "application/edifact", "edifact": "application/edifact", "x12": "application/edi-x12", // RFC 1767
		"dta": "application/x-stata", "sav": "application/x-spss-sav", "ovpn": "application/x-openvpn-profile",
	}
}

// TestTypesAreDebians: package media-types, which the Makefile installs.
func TestTypesAreDebians(t *testing.T) {
	t.Parallel()
	debians := mimeTypes(t, "/etc/mime.types")
	known := strings.Fields(endings)
	if len(known) < 150 {
		t.Errorf("%d endings", len(known))
	}
	deviations := deviations()
	for _, ending := range known {
		got, debian := typeByName("Datei."+ending), debians[ending]
		want, deviates := deviations[ending]
		delete(deviations, ending)
		switch {
		case deviates && strings.EqualFold(want, debian):
			t.Errorf("%s: %s is Debian's by now: no deviation", ending, debian)
		case !deviates:
			want = debian
		}
		if got == "" || !strings.EqualFold(got, want) {
			t.Errorf("%s: %q, want %q", ending, got, want)
		}
		if media, parameters, err := mime.ParseMediaType(got); err != nil || len(parameters) > 0 || !strings.EqualFold(media, got) {
			t.Errorf("%s: %q is no media type without parameters: %v", ending, got, err)
		}
	}
	if len(deviations) > 0 {
		t.Errorf("deviations that are not looked at: %v", deviations)
	}
}

// mimeTypes are the first types of the endings in a file like Debian's.
func mimeTypes(t *testing.T, name string) map[string]string {
	t.Helper()
	file, err := os.Open(name)
	if os.IsNotExist(err) {
		if os.Getenv("CI") != "" {
			t.Fatal("package media-types is missing: make packages")
		}
		t.Skip("package media-types is missing: make packages")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // it was read only
	types := map[string]string{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 2 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		for _, ending := range fields[1:] {
			if types[ending] == "" {
				types[ending] = fields[0]
			}
		}
	}
	if lines.Err() != nil || len(types) < 500 {
		t.Fatalf("%d endings, %v", len(types), lines.Err())
	}
	return types
}

func TestTypeByName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"a.pdf": "application/pdf", "A.PDF": "application/pdf", "a.b.Pdf": "application/pdf", "Größe.odt": "application/vnd.oasis.opendocument.text",
		"": "", "pdf": "", "a.": "", ".": "", "a.pdf ": "", "a.unbekannt": "", "a.tar.gz": "application/gzip",
		".pdf": "application/pdf", "a.pdf/b": "", "xrechnung.xml": "application/xml", "a.\xff": "",
	} {
		if got := typeByName(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestProvenCharset(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{
		"":                        "",
		"a;b\r\n\tc\f\v":          "us-ascii",
		"Grüße":                   "utf-8",
		"\ufeffa":                 "utf-8",
		"Gr\xfc\xdfe":             "", // ISO-8859-1
		"Grüße \xfc":              "",
		"a\x00b\x00":              "", // UTF-16
		"\x1b$B":                  "", // ISO-2022-JP
		"ü\x1b":                   "",
		"a\x7f":                   "",
		"\xed\xa0\x80":            "", // a surrogate
		"\xc0\x80":                "", // too long
		strings.Repeat("x", 5000): "us-ascii",
	} {
		if got := provenCharset([]byte(content)); got != want {
			t.Errorf("%.20q: %q, want %q", content, got, want)
		}
	}
}
