//! The table. A management point's own refusal comes back as `CMGConnector_…`: such a request was forwarded.

use super::Who;

/// Method, target, credential, status line of the answer, forwarded or not.
pub(super) struct Row(
    pub(super) &'static str,
    pub(super) &'static str,
    pub(super) Who,
    pub(super) &'static str,
    pub(super) bool,
);

const YES: bool = true;
const NO: bool = false;

const OK: &str = "200 OK";
const BAD: &str = "400 CMGService_BadRequest";
const TOKEN: &str = "401 CMGService_Invalid_Token";
const UNTRUSTED: &str = "401 CMGService_Unauthorized";
const FORBIDDEN: &str = "403 CMGService_Forbidden";
const NOWHERE: &str = "404 CMGService_NotFound";
const METHOD: &str = "405 CMGService_MethodNotAllowed";
/// What the management point has not built; only a forwarded request is answered so.
const UNBUILT: &str = "501 CMGConnector_NotImplemented";

const CAB: &str = "{S}/CCM_Client/ccmsetup.cab";
const CAB_M: &str = "{M}/CCM_Client/ccmsetup.cab";
const MESSAGES: &str = "{S}/ccm_system_tokenauth/request";
const MPLIST: &str = "{M}/SMS_MP/.sms_aut?MPLIST";
const STS: &str = "{S}/CCM_STS";
const META_S: &str = "/CCM_Proxy_ServerAuth/ServiceMetadata";
const META_M: &str = "/CCM_Proxy_MutualAuth/ServiceMetadata";

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    // Which token opens what.
    Row("GET", STS, Who::Aad, OK, YES),
    Row("GET", STS, Who::Nobody, TOKEN, NO),
    Row("GET", STS, Who::Ccm, TOKEN, NO),
    Row("GET", STS, Who::Bulk, UNBUILT, YES),
    Row("GET", STS, Who::ClientToken, "401 CMGConnector_Unauthorized", YES),
    Row("GET", CAB, Who::Ccm, OK, YES),
    Row("HEAD", CAB, Who::Ccm, OK, YES),
    Row("GET", CAB, Who::Aad, TOKEN, NO),
    Row("GET", CAB, Who::Bulk, TOKEN, NO),
    Row("GET", CAB, Who::ClientToken, TOKEN, NO),
    Row("GET", CAB, Who::Nobody, TOKEN, NO),
    Row("CCM_POST", MESSAGES, Who::Ccm, OK, YES),
    Row("CCM_POST", MESSAGES, Who::Aad, OK, YES),
    Row("CCM_POST", MESSAGES, Who::ClientToken, OK, YES),
    Row("CCM_POST", MESSAGES, Who::Nobody, TOKEN, NO),
    Row("GET", "{S}/CCM_Incoming/file", Who::Ccm, UNBUILT, YES),
    Row("GET", "{S}/CCM_Incoming/file", Who::Aad, TOKEN, NO),
    Row("GET", META_S, Who::Aad, OK, NO),
    Row("GET", META_S, Who::Ccm, OK, NO),
    Row("GET", META_S, Who::Bulk, OK, NO),
    Row("GET", META_S, Who::ClientToken, OK, NO),
    Row("GET", META_S, Who::Nobody, TOKEN, NO),
    // Tokens that are not what they should be.
    Row("GET", STS, Who::AadExpired, TOKEN, NO),
    Row("GET", STS, Who::AadEarly, TOKEN, NO),
    Row("GET", STS, Who::AadForeignTenant, TOKEN, NO),
    Row("GET", STS, Who::AadOtherAudience, TOKEN, NO),
    Row("GET", STS, Who::AadUnsigned, TOKEN, NO),
    Row("GET", STS, Who::AadTampered, TOKEN, NO),
    Row("GET", STS, Who::Garbage, TOKEN, NO),
    Row("GET", STS, Who::Basic, TOKEN, NO),
    Row("GET", STS, Who::TwoTokens, TOKEN, NO),
    Row("GET", META_S, Who::Garbage, TOKEN, NO),
    Row("GET", META_S, Who::BulkExpired, TOKEN, NO),
    Row("GET", META_S, Who::BulkBlocked, TOKEN, NO),
    Row("GET", META_S, Who::ClientTokenLapsed, TOKEN, NO),
    Row("GET", META_S, Who::ClientTokenOfBlockedClient, TOKEN, NO),
    Row("GET", META_S, Who::CcmUnknownCategory, TOKEN, NO),
    Row("CCM_POST", MESSAGES, Who::CcmOfBlockedClient, TOKEN, NO),
    Row("CCM_POST", MESSAGES, Who::CcmOfOtherHierarchy, TOKEN, NO),
    Row("CCM_POST", MESSAGES, Who::CcmUnknownKey, TOKEN, NO),
    // Client certificates; what comes beside them is no concern of the gateway's.
    Row("GET", CAB_M, Who::Pki, OK, YES),
    Row("GET", CAB_M, Who::PkiLeafAlone, OK, YES),
    Row("GET", CAB_M, Who::AadAndPki, "401 CMGConnector_Unauthorized", YES),
    Row("GET", CAB_M, Who::PkiAndGarbageToken, "401 CMGConnector_Unauthorized", YES),
    Row("GET", MPLIST, Who::Pki, UNBUILT, YES),
    Row("CCM_POST", "{M}/ccm_system/request", Who::Pki, UNBUILT, YES),
    Row("GET", MPLIST, Who::Nobody, FORBIDDEN, NO),
    Row("GET", MPLIST, Who::Aad, FORBIDDEN, NO),
    Row("GET", MPLIST, Who::PkiUnknownIssuer, UNTRUSTED, NO),
    Row("GET", MPLIST, Who::PkiWrongUsage, UNTRUSTED, NO),
    Row("GET", MPLIST, Who::PkiExpired, FORBIDDEN, NO),
    Row("GET", MPLIST, Who::PkiEarly, FORBIDDEN, NO),
    Row("GET", MPLIST, Who::PkiRevoked, FORBIDDEN, NO),
    // The certificate is judged before the path.
    Row("GET", "{M}/nowhere", Who::Nobody, FORBIDDEN, NO),
    Row("GET", "{M}/nowhere", Who::PkiUnknownIssuer, UNTRUSTED, NO),
    Row("GET", "{M}/nowhere", Who::Pki, NOWHERE, NO),
    // A certificate, good or bad, does not stand in the way of a token, nor for one.
    Row("GET", STS, Who::AadAndPki, OK, YES),
    Row("GET", STS, Who::AadAndPkiUnknownIssuer, OK, YES),
    Row("GET", STS, Who::Pki, TOKEN, NO),
    Row("GET", STS, Who::PkiAndGarbageToken, TOKEN, NO),
    // What anyone may ask.
    Row("GET", META_M, Who::Nobody, OK, NO),
    Row("GET", META_M, Who::PkiRevoked, OK, NO),
    Row("HEAD", META_M, Who::Nobody, OK, NO),
    Row("GET", "/CCM_Proxy_ServerAuth/AADAuthInfo?TenantID={tenant}", Who::Nobody, OK, NO),
    Row("HEAD", "/CCM_Proxy_ServerAuth/AADAuthInfo?TenantID={tenant}", Who::Garbage, OK, NO),
    // Methods.
    Row("POST", STS, Who::Aad, OK, YES),
    Row("BITS_POST", "{S}/CCM_Incoming/file", Who::Ccm, UNBUILT, YES),
    Row("PROPFIND", "{M}/CCM_Incoming/file", Who::Pki, UNBUILT, YES),
    Row("DELETE", STS, Who::Aad, METHOD, NO),
    Row("PUT", MPLIST, Who::Pki, METHOD, NO),
    Row("OPTIONS", STS, Who::Aad, METHOD, NO),
    Row("OPTIONS", "*", Who::Nobody, METHOD, NO),
    Row("TRACE", STS, Who::Aad, METHOD, NO),
    Row("get", STS, Who::Aad, METHOD, NO),
    Row("POST", META_M, Who::Nobody, METHOD, NO),
    Row("POST", META_S, Who::Aad, METHOD, NO),
    Row("CCM_POST", "/CCM_Proxy_ServerAuth/AADAuthInfo?TenantID={tenant}", Who::Nobody, METHOD, NO),
    // What is published: in any case, and nothing else.
    Row("GET", "/ccm_proxy_SERVERAUTH/{role}/ccm_sts", Who::Aad, OK, YES),
    Row("GET", "{S}/CCM_STS/", Who::Aad, OK, YES),
    Row("GET", "/CCM_Proxy_ServerAuth/0{role}/CCM_STS", Who::Aad, NOWHERE, NO),
    Row("GET", "/CCM_STS", Who::Aad, NOWHERE, NO),
    Row("GET", "/", Who::Aad, NOWHERE, NO),
    Row("GET", "{S}", Who::Aad, NOWHERE, NO),
    Row("GET", "{S}/", Who::Aad, NOWHERE, NO),
    Row("GET", "{S}/SMS_MP/.sms_aut?MPLIST", Who::Aad, NOWHERE, NO),
    Row("GET", "{S}/CCM_STSX", Who::Aad, NOWHERE, NO),
    Row("GET", "{S}/CCM_STS.", Who::Aad, NOWHERE, NO),
    Row("GET", "{S}/CCM_STS;jsessionid=1", Who::Aad, NOWHERE, NO),
    Row("GET", "{S}/CCM_ST%53", Who::Aad, NOWHERE, NO),
    Row("GET", "{M}/CCM_STS", Who::Pki, NOWHERE, NO),
    Row("GET", "/CCM_Proxy_ServerAuth/72057594037927999/CCM_STS", Who::Aad, NOWHERE, NO),
    Row("GET", "/CCM_Proxy_ServerAuth/99999999999999999999999/CCM_STS", Who::Aad, NOWHERE, NO),
    Row("GET", "/CCM_Proxy_ServerAuth/-1/CCM_STS", Who::Aad, NOWHERE, NO),
    Row("GET", "/CCM_Proxy_ServerAuth{role}/CCM_STS", Who::Aad, NOWHERE, NO),
    Row("GET", "/settings", Who::Aad, NOWHERE, NO),
    // Tricks with the path; the plain twin of each is above.
    Row("GET", "{S}/CCM_STS/../SMS_MP/.sms_aut?MPLIST", Who::Aad, BAD, NO),
    Row("GET", "{S}/./CCM_STS", Who::Aad, BAD, NO),
    Row("GET", "{S}/CCM_STS/...", Who::Aad, BAD, NO),
    Row("GET", "{S}/CCM_STS/..%20/SMS_MP", Who::Aad, BAD, NO),
    Row("GET", "{S}/CCM_STS/..;x/SMS_MP", Who::Aad, BAD, NO),
    Row("GET", "{S}/CCM_STS/%2e%2e/SMS_MP", Who::Aad, BAD, NO),
    Row("GET", "{S}/CCM_STS/.%2E/SMS_MP", Who::Aad, BAD, NO),
    Row("GET", "{S}/CCM_STS%2f..%2fSMS_MP", Who::Aad, BAD, NO),
    Row("GET", "{S}/CCM_STS%5c..%5cSMS_MP", Who::Aad, BAD, NO),
    Row("GET", "{S}/CCM_STS\\..\\SMS_MP", Who::Aad, BAD, NO),
    Row("GET", "{S}/CCM_STS/%252e%252e/SMS_MP", Who::Aad, BAD, NO),
    Row("GET", "{S}/CCM_STS/%25252e%25252e/SMS_MP", Who::Aad, BAD, NO),
    Row("GET", "{S}/CCM_STS/%c0%ae%c0%ae/SMS_MP", Who::Aad, BAD, NO),
    Row("GET", "{S}/CCM_STS/%e0%80%ae/SMS_MP", Who::Aad, BAD, NO),
    Row("GET", "{S}/CCM_STS/%ef%bc%8e%ef%bc%8e/SMS_MP", Who::Aad, BAD, NO),
    Row("GET", "{S}/CCM_STS/%u002e%u002e/SMS_MP", Who::Aad, BAD, NO),
    Row("GET", "{S}/CCM_STS%00.cab", Who::Aad, BAD, NO),
    Row("GET", "{S}/CCM_STS%0d%0aX:y", Who::Aad, BAD, NO),
    Row("GET", "{S}/CCM_STS%", Who::Aad, BAD, NO),
    Row("GET", "{S}//CCM_STS", Who::Aad, BAD, NO),
    Row("GET", "//CCM_Proxy_ServerAuth/{role}/CCM_STS", Who::Aad, BAD, NO),
    Row("GET", "/CCM_Proxy_ServerAuth//{role}/CCM_STS", Who::Aad, BAD, NO),
    Row("GET", "/CCM%5FProxy_ServerAuth/{role}/CCM_STS", Who::Aad, BAD, NO),
    Row("GET", "/CCM_Proxy_ServerAuth/%37{role}/CCM_STS", Who::Aad, BAD, NO),
    Row("GET", "{M}/CCM_Client/../ccm_system_tokenauth/request", Who::Pki, BAD, NO),
    // A query is the management point's alone to read.
    Row("GET", "{S}/CCM_STS?/../SMS_MP&x=%2e%2e", Who::Aad, OK, YES),
];
