//! Tokens of forges, package registries and build services.

use super::super::checks;
use super::{Spec, after, key, run};

pub(super) const RULES: &[Spec] = &[
    key("github-token", &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"], r"gh[pousr]_[A-Za-z0-9_]{30,}"),
    key("github-token", &["github_pat_"], r"github_pat_[A-Za-z0-9_]{22,}"),
    key(
        "gitlab-token",
        &[
            "glpat-", "gldt-", "glrt-", "glrtr-", "glcbt-", "glptt-", "glft-", "glsoat-", "glimt-", "glagent-",
            "gloas-", "glffct-",
        ],
        r"gl(?:pat|dt|rtr?|cbt|ptt|ft|soat|imt|agent|oas|ffct)-[A-Za-z0-9_-]{18,}(?:\.[A-Za-z0-9_-]{2,}){0,3}",
    ),
    key("gitlab-token", &["GR1348941"], r"GR1348941[A-Za-z0-9_-]{20,}"),
    key("gitlab-session", &["_gitlab_session="], r"_gitlab_session=([0-9a-z]{32,})"),
    key("bitbucket-token", &["ATBB"], r"ATBB[A-Za-z0-9_=.-]{28,}"),
    key("atlassian-token", &["ATATT3", "ATCTT3", "ATSTT3"], r"AT[ACS]TT3[A-Za-z0-9_=.-]{50,}"),
    key("npm-token", &["npm_"], r"npm_[A-Za-z0-9]{30,}"),
    after(
        "npm-token",
        &["_authtoken", "_auth"],
        r#"(?i:_auth(?:token)?)\s{0,4}=\s{0,4}["']?([A-Za-z0-9+/=_.-]{16,})"#,
        checks::random,
    ),
    key("pypi-token", &["pypi-"], r"pypi-[A-Za-z0-9_-]{50,}"),
    key("rubygems-key", &["rubygems_"], r"rubygems_[0-9a-f]{40,}"),
    run("crates-io-token", &["cio"], r"cio[A-Za-z0-9]{32}\b"),
    run("nuget-key", &["oy2"], r"oy2[a-z0-9]{43}\b"),
    key("clojars-token", &["CLOJARS_"], r"CLOJARS_[0-9a-f]{60}"),
    key("docker-token", &["dckr_pat_", "dckr_oat_"], r"dckr_[po]at_[A-Za-z0-9_-]{20,}"),
    key("artifactory-key", &["AKCp"], r"AKCp[A-Za-z0-9]{60,}"),
    key("artifactory-token", &["cmVmdGtu"], r"cmVmdGtu[A-Za-z0-9]{50,}={0,2}"),
    key("sonar-token", &["sqp_", "squ_", "sqa_"], r"sq[apu]_[0-9a-f]{40}\b"),
    key("sourcegraph-token", &["sgp_", "slk_"], r"(?:sgp_(?:[0-9a-f]{16}_|local_)?[0-9a-f]{40}|slk_[0-9a-f]{64})\b"),
    key("buildkite-token", &["bkua_", "bkct_", "bkaj_"], r"bk(?:ua|ct|aj)_[A-Za-z0-9]{30,}"),
    key("circleci-token", &["CCIPAT_", "CCIPRJ_"], r"CCIP(?:AT|RJ)_[A-Za-z0-9]{16,}_[0-9a-f]{40}"),
    key("launchdarkly-key", &["sdk-"], r"sdk-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"),
    key("statsig-key", &["secret-"], r"secret-[A-Za-z0-9]{40,}\b"),
    key("prefect-key", &["pnu_", "pnb_"], r"pn[ub]_[A-Za-z0-9]{36}\b"),
    key("snyk-token", &["snyk_"], r"snyk_(?:uat|sat)\.[A-Za-z0-9_.-]{40,}"),
    key("linear-key", &["lin_api_", "lin_oauth_", "lin_wh_"], r"lin_(?:api|oauth|wh)_[A-Za-z0-9]{32,}"),
    key("postman-key", &["PMAK-", "PMAT-"], r"(?:PMAK-[0-9a-f]{24}-[0-9a-f]{34}|PMAT-[A-Za-z0-9]{26})\b"),
    key("readme-key", &["rdme_"], r"rdme_[a-z0-9]{70}"),
    key("figma-token", &["figd_", "figo_"], r"fig[do]_[A-Za-z0-9_-]{38,}"),
];
