package compose

// officeType is that of documents, tables and slides, and what offices keep beside them.
func officeType(ending string) string {
	switch ending {
	case "pdf":
		return "application/pdf"
	case "doc", "dot":
		return "application/msword"
	case "docx":
		return "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	case "dotx":
		return "application/vnd.openxmlformats-officedocument.wordprocessingml.template"
	case "docm":
		return "application/vnd.ms-word.document.macroEnabled.12"
	case "dotm":
		return "application/vnd.ms-word.template.macroEnabled.12"
	case "xls", "xlt":
		return "application/vnd.ms-excel"
	case "xlsx":
		return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	case "xlsm":
		return "application/vnd.ms-excel.sheet.macroEnabled.12"
	case "xlsb":
		return "application/vnd.ms-excel.sheet.binary.macroEnabled.12"
	case "xltx":
		return "application/vnd.openxmlformats-officedocument.spreadsheetml.template"
	case "xltm":
		return "application/vnd.ms-excel.template.macroEnabled.12"
	case "ppt", "pps":
		return "application/vnd.ms-powerpoint"
	case "pptx":
		return "application/vnd.openxmlformats-officedocument.presentationml.presentation"
	case "ppsx":
		return "application/vnd.openxmlformats-officedocument.presentationml.slideshow"
	case "pptm":
		return "application/vnd.ms-powerpoint.presentation.macroEnabled.12"
	case "ppsm":
		return "application/vnd.ms-powerpoint.slideshow.macroEnabled.12"
	case "potx":
		return "application/vnd.openxmlformats-officedocument.presentationml.template"
	case "potm":
		return "application/vnd.ms-powerpoint.template.macroEnabled.12"
	case "rtf":
		return "application/rtf"
	case "wps", "wks":
		return "application/vnd.ms-works"
	case "wpd":
		return "application/vnd.wordperfect"
	case "hwp":
		return "application/x-hwp"
	case "pages":
		return "application/vnd.apple.pages"
	case "numbers":
		return "application/vnd.apple.numbers"
	case "mdb", "accdb":
		return "application/msaccess"
	case "mpp":
		return "application/vnd.ms-project"
	case "one":
		return "application/onenote"
	case "xps":
		return "application/vnd.ms-xpsdocument"
	case "oxps":
		return "application/oxps"
	case "vsd", "vst", "vss":
		return "application/vnd.visio"
	case "key":
		return "application/vnd.apple.keynote"
	case "pub":
		return "application/vnd.ms-publisher"
	case "vsdx":
		return "application/vnd.ms-visio.drawing"
	case "vstx":
		return "application/vnd.ms-visio.template"
	case "hwpx":
		return "application/hwp+zip"
	}
	return ""
}

// openOfficeType is that of OpenDocument and its relatives.
func openOfficeType(ending string) string {
	switch ending {
	case "odt":
		return "application/vnd.oasis.opendocument.text"
	case "ods":
		return "application/vnd.oasis.opendocument.spreadsheet"
	case "odp":
		return "application/vnd.oasis.opendocument.presentation"
	case "odg":
		return "application/vnd.oasis.opendocument.graphics"
	case "odf":
		return "application/vnd.oasis.opendocument.formula"
	case "odb":
		return "application/vnd.oasis.opendocument.base"
	case "odc":
		return "application/vnd.oasis.opendocument.chart"
	case "odi":
		return "application/vnd.oasis.opendocument.image"
	case "odm":
		return "application/vnd.oasis.opendocument.text-master"
	case "ott":
		return "application/vnd.oasis.opendocument.text-template"
	case "ots":
		return "application/vnd.oasis.opendocument.spreadsheet-template"
	case "otp":
		return "application/vnd.oasis.opendocument.presentation-template"
	case "otg":
		return "application/vnd.oasis.opendocument.graphics-template"
	case "sxw":
		return "application/vnd.sun.xml.writer"
	case "sxc":
		return "application/vnd.sun.xml.calc"
	case "sxi":
		return "application/vnd.sun.xml.impress"
	case "gnumeric":
		return "application/x-gnumeric"
	case "abw":
		return "application/x-abiword"
	}
	return ""
}

// messageType is that of mails, certificates and signatures.
func messageType(ending string) string {
	switch ending {
	case "eml":
		return "message/rfc822"
	case "p7m", "p7c":
		return "application/pkcs7-mime"
	case "p7s":
		return "application/pkcs7-signature"
	case "p10":
		return "application/pkcs10"
	case "p8":
		return "application/pkcs8"
	case "pfx", "p12":
		return "application/pkcs12"
	case "cer", "der", "crt":
		return "application/pkix-cert"
	case "crl":
		return "application/pkix-crl"
	case "asc":
		return "application/pgp-keys"
	case "sig":
		return "application/pgp-signature"
	case "pgp", "gpg":
		return "application/pgp-encrypted"
	case "msg":
		return "application/vnd.ms-outlook"
	case "p7b":
		return "application/x-pkcs7-certificates"
	case "pem":
		return "application/x-pem-file"
	}
	return ""
}
